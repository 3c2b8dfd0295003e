/** The client's texts: bytes to characters, and characters to statements. */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import type { StatementCache } from '../../rewrite/statement-cache.js';
import type { Look } from '../../sql/lexer/look.js';
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
}
