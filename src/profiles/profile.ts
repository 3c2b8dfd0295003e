/**
 * What a family of databases can do, and how the proxy goes about it there: plain data, for each version of it. Nothing
 * else in src knows a version number.
 */

export interface Profile {
  readonly name: 'postgres';
  /** The server's major version; 0 where the server has not said it. */
  readonly version: number;
  /** How a cascade is carried out. `single`: one statement of writable CTEs (render/single/). */
  readonly strategy: 'single';
  readonly can: Abilities;
}

/** What came with a later version than the oldest one that is supported. */
export interface Abilities {
  /** Compiles queries: the setting `jit` exists. From 11 on (release notes, E.1.3.1.5). */
  readonly compileQueries: boolean;
  /** `U&"\+00e9"` in a database of any encoding. From 13 on (check_unicode_value in parser.c has come then). */
  readonly escapeBeyondAscii: boolean;
  /** MERGE in a WITH, and RETURNING behind it. From 17 on. */
  readonly returnFromMerge: boolean;
  /** The setting `transaction_timeout`. From 17 on. */
  readonly limitTransactions: boolean;
  /** A key that is RESTRICT says so, with the SQLSTATE 23001. From 18 on (ri_ReportViolation in ri_triggers.c). */
  readonly reportRestrict: boolean;
}

/** The oldest major version of PostgreSQL whose catalog is read. */
export const OLDEST_POSTGRES = 10;

/** The profile of PostgreSQL, or of a server that has PostgreSQL's catalog. The same object for the same version. */
export function postgres(version: number): Profile {
  const known = profiles.get(version);
  if (known) return known;
  const made: Profile = {
    name: 'postgres',
    version,
    strategy: 'single',
    can: {
      compileQueries: version >= 11,
      escapeBeyondAscii: version >= 13,
      returnFromMerge: version >= 17,
      limitTransactions: version >= 17,
      reportRestrict: version >= 18,
    },
  };
  if (version <= NEWEST_KEPT) profiles.set(version, made);
  return made;
}

/** A server says what it likes: profiles of later versions are not kept. */
const NEWEST_KEPT = 100;
const profiles = new Map<number, Profile>();
