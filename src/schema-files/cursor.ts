/** Goes over the tokens of one statement. */
import type { Lexis } from '../sql/dialects/dialect.js';
import type { Token } from '../sql/dialects/tokens.js';
import type { FileName } from './definition.js';

/** `key varchar(30)` is a column whose name is key, and `key k (a)` an index. */
const TYPES_WITH_LENGTH =
  /^(?:(?:var)?(?:char|binary)|(?:tiny|small|medium|big)?int|integer|decimal|numeric|float|double|real|bit|text|blob|enum|set|year|time|timestamp|datetime|fixed|n(?:var)?char|character)$/i;

const NO_TOKEN: Token = { kind: 'end', text: '', start: 0, end: 0, line: 1 };

export class Cursor {
  readonly #tokens: readonly Token[];
  readonly #lexis: Lexis;
  #at = 0;

  constructor(tokens: readonly Token[], lexis: Lexis) {
    this.#tokens = tokens;
    this.#lexis = lexis;
  }

  /** What a key does whose ON DELETE is not written. */
  get unwritten(): Lexis['unwritten'] {
    return this.#lexis.unwritten;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The token at hand; undefined after the last one. */
  get token(): Token | undefined {
    return this.#tokens[this.#at];
  }

  /** The token before the one at hand; at the beginning the first one. */
  get previous(): Token {
    return this.#tokens[Math.max(this.#at - 1, 0)] ?? NO_TOKEN;
  }

  /** Of the token at hand; after the last one, of that. */
  get line(): number {
    return (this.token ?? this.#tokens.at(-1))?.line ?? 1;
  }

  /** Whether these keywords, in upper case, or signs, are at hand. */
  isAt(...words: readonly string[]): boolean {
    return words.every((word, i) => {
      const token = this.#tokens[this.#at + i];
      if (token?.kind === 'sign') return token.text === word;
      return token?.kind === 'word' && token.text.toUpperCase() === word;
    });
  }

  /** Goes past these keywords or signs, if they are at hand. */
  skip(...words: readonly string[]): boolean {
    if (!this.isAt(...words)) return false;
    this.#at += words.length;
    return true;
  }

  /** Goes past the first of these sequences that is at hand. */
  skipAny(...sequences: readonly (readonly string[])[]): boolean {
    return sequences.some((words) => this.skip(...words));
  }

  /** Goes past the token at hand. */
  next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  /** Goes past the token at hand; an open parenthesis is left with all that is inside of it. */
  nextWhole(): void {
    let depth = 0;
    do {
      const token = this.next();
      if (token?.kind === 'sign') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    } while (depth > 0 && !this.isAtEnd);
  }

  /** A name, folded. undefined where no name is at hand. */
  name(): string | undefined {
    const { token } = this;
    const isName =
      token?.kind === 'word' ||
      token?.kind === 'name' ||
      (token?.kind === 'string' && this.#lexis.stringsAsNames);
    if (!token || !isName) return undefined;
    this.#at++;
    return (token.kind === 'word' ? this.#lexis.fold : this.#lexis.foldQuoted)(token.text);
  }

  /** `schema.table`, or `database.schema.table`, of which the database is left out. */
  relationName(): FileName | undefined {
    const first = this.name();
    if (first === undefined) return undefined;
    const names = [first];
    while (this.isAt('.')) {
      this.next();
      const more = this.name();
      if (more === undefined) return undefined;
      names.push(more);
    }
    return { schema: names.at(-2), name: names.at(-1) ?? first };
  }

  /** Whether a list in parentheses begins after a keyword, and at most a name and USING method. */
  isListNear(): boolean {
    const ahead = this.#tokens
      .slice(this.#at + 1, this.#at + 5)
      .map(({ kind, text }) => (kind === 'sign' ? text : kind));
    const list = ahead.indexOf('(');
    if (list === 0) return true;
    const [first, second] = this.#tokens.slice(this.#at + 1, this.#at + 3);
    if (list === 1) return first?.kind === 'name' || !TYPES_WITH_LENGTH.test(first?.text ?? '');
    return list > 1 && (second?.text.toUpperCase() === 'USING' || first?.text.toUpperCase() === 'USING');
  }

  /** `(a, b)`: the first name of each part, as MySQL and SQLite allow a length or an order after it. Empty where there is none. */
  nameList(): readonly string[] {
    if (!this.isAt('(')) return [];
    const names: string[] = [];
    this.next();
    while (!this.isAtEnd && !this.skip(')')) {
      const name = this.name();
      if (name !== undefined) names.push(name);
      while (!this.isAtEnd && !this.isAt(')') && !this.skip(',')) this.nextWhole();
    }
    return names;
  }
}
