import { Buffer } from 'node:buffer';
import { Lexer } from '../../sql/lexer/lexer.js';
import type { Reply } from './reply.js';

/** Enough of a statement to find the names in: SET and set_config stand in short ones. */
const LOOKED_AT = 65_536;
const EVERYTHING_BACK = 'RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL';

/** The database session that settings are put into and read from. */
export interface DatabaseSession {
  /** Runs SQL. @returns the rows, as text @throws Fatal with the server's error; EngineStopped */
  rows(sql: string): Promise<Reply['rows']>;
}

/**
 * The settings of one client. All clients share one database session: a client's settings are put into the session when
 * its turn comes after another client's, and read back from the session before the next client's turn.
 *
 * Two limits. Startup parameters are set as SET does, so RESET goes to the server's default and not to them. No view lists
 * custom settings (app.tenant), so only those are kept that a statement of the client names.
 */
export class Settings {
  /** A select list of set_config calls that brings the client's settings back. */
  #restore = '';
  readonly #custom = new Set<string>();

  /** @param given names and values, a later one over an earlier one; put into effect by the first `restore` */
  start(given: readonly (readonly [string, string])[]): void {
    this.#restore = given.map(([name, value]) => setConfig(literal(name), literal(value))).join(', ');
    for (const [name] of given) if (name.includes('.')) this.#custom.add(name);
  }

  /** Remembers what custom settings a Query or Parse may set. */
  note(message: Buffer): void {
    for (const name of customNames(message.subarray(5, LOOKED_AT))) this.#custom.add(name);
  }

  /** @throws Fatal, EngineStopped */
  async save(session: DatabaseSession): Promise<void> {
    // The role goes last: the settings before it may need the superuser's rights. In hexadecimal, because the client's
    // encoding may be any.
    const others = [...this.#custom, 'session_authorization', 'role'].map(literal).join(', ');
    const [row] = await session.rows(`
      SELECT encode(convert_to(coalesce(string_agg(format('${setConfig('%L', '%L')}', name, value), ',' ORDER BY n), ''), 'UTF8'), 'hex')
      FROM (SELECT 0, name, setting FROM pg_settings
            WHERE source = 'session' AND name !~ '^transaction_(isolation|read_only|deferrable)$'
            UNION ALL
            SELECT n, name, current_setting(name, true) FROM unnest(ARRAY[${others}]) WITH ORDINALITY AS o (name, n)
            WHERE current_setting(name, true) NOT IN ('', 'none')) AS s (n, name, value)`);
    this.#restore = Buffer.from(row?.[0]?.toString() ?? '', 'hex').toString();
  }

  /** @throws Fatal where a setting cannot be made, as with an unknown startup parameter; EngineStopped */
  async restore(session: DatabaseSession): Promise<void> {
    await session.rows(EVERYTHING_BACK);
    // A second statement: only after EVERYTHING_BACK is the encoding UTF8, and is a backslash plain text.
    if (this.#restore) await session.rows(`SELECT ${this.#restore}`);
  }
}

function setConfig(name: string, value: string): string {
  return `set_config(${name}, ${value}, false)`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What may stand between SET, or set_config, and the name of a setting, and around the parts of a name. */
const PASSED_OVER: ReadonlySet<string> = new Set(['session', '(', "'", '"']);

/**
 * The names with dots that stand after SET or set_config. Code in a literal may set something too, so no quote is taken for
 * the beginning of one.
 */
function* customNames(text: Buffer): Generator<string> {
  const tokens: string[] = [];
  const lexer = new Lexer(text, 'flat');
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next()) {
    const token = text.toString('latin1', lexer.start, lexer.end);
    if (!PASSED_OVER.has(token.toLowerCase())) tokens.push(token);
  }
  for (let at = 0; at < tokens.length; at++) {
    if (!/^set(?:_config)?$/i.test(tokens[at] ?? '')) continue;
    const first = at + 1;
    while (tokens[at + 2] === '.') at += 2;
    if (at >= first) yield tokens.slice(first, at + 2).join('');
  }
}
