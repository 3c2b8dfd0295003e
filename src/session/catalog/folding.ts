/**
 * Finds names that the server would write in lower case otherwise than the parser here. A server whose encoding has one byte a character folds
 * capitals beyond ASCII in names that are not quoted, as its locale says (downcase_identifier in scansup.c); the parser knows UTF-8 alone.
 */
import { isAscii } from 'node:buffer';
import { isSingleByte } from '../../sql/encoding/character-lengths.js';
import { hasRaw } from '../../sql/encoding/raw-bytes.js';
import { quoteLiteral, type RelationName } from '../../sql/names.js';
import { encodingOf } from '../server/encoding.js';
import type { Answer } from '../server/question.js';
import type { ServerState } from '../server/server-state.js';

export class Folding {
  readonly #state: ServerState;
  /** What the server has answered: that does not change while a session lasts. */
  #folded: Map<string, boolean> | undefined;

  constructor(state: ServerState) {
    this.#state = state;
  }

  /**
   * Whether the server would fold one of these names, were it not quoted.
   * @param ask puts a question to the server over this session
   * @returns the answer itself where there was none
   */
  async folds(
    names: readonly RelationName[],
    ask: (sql: string) => Promise<Answer>,
  ): Promise<boolean | Exclude<Answer, { kind: 'value' }>> {
    const parts = this.#doubtful(names);
    if (parts.length === 0) return false;
    this.#folded ??= new Map();
    const folded = this.#folded;
    const unknown = parts.filter((part) => !folded.has(part));
    if (unknown.length > 0) {
      const answer = await ask(question(unknown));
      if (answer.kind !== 'value') return answer;
      for (const [i, part] of unknown.entries()) folded.set(part, answer.value[i] !== 't');
    }
    return parts.some((part) => folded.get(part));
  }

  #doubtful(names: readonly RelationName[]): readonly string[] {
    if (!isSingleByte(this.#state.parameter('server_encoding') ?? '')) return [];
    const inUtf8 = encodingOf(this.#state) === 'UTF8';
    const parts = names.flatMap(({ schema, name }) => (schema === undefined ? [name] : [schema, name]));
    // A name with other characters must have been quoted, and so must one that was spelled by an escape.
    return parts.filter(
      (part) => !isAscii(Buffer.from(part)) && UNQUOTED.test(part) && (inUtf8 || hasRaw(part)),
    );
  }
}

const UNQUOTED = /^[^\0-^`{-\x7f][^\0-#%-/:-^`{-\x7f]*$/u;

/** `SELECT pg_catalog.concat(pg_catalog.parse_ident('École') = ARRAY['École'], …)`: `t` for each that stays what it is. */
function question(parts: readonly string[]): string {
  const same = parts
    .map(quoteLiteral)
    .map(
      (part) => `pg_catalog.parse_ident(${part}) OPERATOR(pg_catalog.=) ARRAY[${part}]::pg_catalog.text[]`,
    );
  return `SELECT pg_catalog.array_to_string(ARRAY[${same.join(', ')}]::pg_catalog.bool[], '')`;
}
