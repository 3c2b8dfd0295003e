import { Buffer } from 'node:buffer';
import type { Reply } from './reply.js';

/** Enough of a statement to find the names in: SET and set_config stand in short ones. */
const LOOKED_AT = 65_536;
const CUSTOM_NAME = /(?:\bset\s+(?:session\s+)?|\bset_config\s*\(\s*')("?\w+"?(?:\."?\w+"?)+)/gi;
const EVERYTHING_BACK = 'RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL';

/** What settings are put into and read from. */
export interface DatabaseSession {
  /** Runs SQL. @returns the rows, as text @throws Fatal with the server's error; EngineStopped */
  rows(sql: string): Promise<Reply['rows']>;
}

/**
 * The settings of one client. There is one database session, so they are put into it when the client's turn comes after
 * another's, and read back from it before the next.
 *
 * A limit: startup parameters are set like SET does, so that RESET goes to the server's default, not to them. Another:
 * custom settings (app.tenant) are in no view, so only those are kept that the client's own statements name.
 */
export class Settings {
  /** The select list of set_config calls that brings them back. */
  #restore = '';
  readonly #custom = new Set<string>();

  /** @param given names and values, a later one over an earlier one; put into effect by the first `restore` */
  start(given: readonly (readonly [string, string])[]): void {
    this.#restore = given.map(([name, value]) => setConfig(literal(name), literal(value))).join(', ');
    for (const [name] of given) if (name.includes('.')) this.#custom.add(name);
  }

  /** Remembers what custom settings a Query or Parse may set. */
  note(message: Buffer): void {
    for (const [, name = ''] of message.toString('latin1', 5, LOOKED_AT).matchAll(CUSTOM_NAME))
      this.#custom.add(name.replaceAll('"', ''));
  }

  /** @throws Fatal, EngineStopped */
  async save(session: DatabaseSession): Promise<void> {
    // The role goes last: what comes before it may need the superuser's rights. In hexadecimal, because the client's
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
    // In a statement of its own: only now is the encoding UTF8 and a backslash a backslash.
    if (this.#restore) await session.rows(`SELECT ${this.#restore}`);
  }
}

function setConfig(name: string, value: string): string {
  return `set_config(${name}, ${value}, false)`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
