/** Reads the client's texts: bytes to characters, and characters to statements. */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import type { Family } from '../../profiles/families/family.js';
import type { StatementCache } from '../../rewrite/statement-cache.js';
import type { Look } from '../../sql/lexer/look.js';
import { readForeign } from '../../sql/reading/foreign-text.js';
import type { Statement } from '../../sql/statement/statement.js';
import { decode, encodingOf } from '../server/encoding.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';

/** A text of the client's that was read. */
export interface ClientText {
  readonly look: Look;
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** In bytes: the parser has no room for a longer text, nor has a string for one of four times that. */
const LONGEST_DECIDED = 128 * 1024 * 1024;

/** @throws ProxyError PGC_TOO_LARGE */
export function refuseTooLong(text: Buffer): void {
  if (text.length > LONGEST_DECIDED) throw new ProxyError('PGC_TOO_LARGE');
}

export class ClientTexts {
  readonly #cache: StatementCache;
  readonly #replies: OutstandingReplies;
  readonly #state: ServerState;

  constructor(cache: StatementCache, replies: OutstandingReplies, state: ServerState) {
    this.#cache = cache;
    this.#replies = replies;
    this.#state = state;
  }

  /**
   * @param cameIn the encoding of the client when the text came, where that was earlier
   * @returns undefined where the bytes are no text in the client's encoding
   * @throws ProxyError PGC_ENCODING where they could be read in two ways
   */
  decode(bytes: Buffer, cameIn: string | undefined): string | undefined {
    const encoding = encodingOf(this.#state);
    if (cameIn !== undefined && cameIn !== encoding && !isAscii(bytes))
      throw new ProxyError('PGC_ENCODING', { what: `what was prepared in ${cameIn}`, encoding });
    return decode(bytes, this.#state);
  }

  /** @returns undefined where the text is not PostgreSQL's SQL */
  statements(text: string): Promise<readonly Statement[] | undefined> {
    return this.#cache.statements(text, encodingOf(this.#state), () => !this.#replies.ended);
  }

  /**
   * The statements of a text that is not PostgreSQL's SQL.
   * @returns undefined where it is not understood as that of the server's family either
   * @throws ProxyError PGC_TOO_LARGE
   */
  foreign(text: string, { grammar }: Family): readonly Statement[] | undefined {
    return grammar && readForeign(text, grammar);
  }
}
