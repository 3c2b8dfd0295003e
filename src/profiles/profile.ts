/**
 * What each version of a database family can do, and how the proxy sends a cascade to it: plain data. No other file of src
 * compares version numbers.
 */

export interface Profile {
  readonly name: 'postgres';
  /** The server's major version; 0 where the server has not reported one. */
  readonly version: number;
  /** How a cascade is executed. `single`: one statement of writable CTEs (render/single/). */
  readonly strategy: 'single';
  readonly can: Abilities;
}

/** What a later version can do, and OLDEST_POSTGRES cannot. */
export interface Abilities {
  /** Compiles queries: the setting `jit` exists. From 11 on (release notes, E.1.3.1.5). */
  readonly compileQueries: boolean;
  /** `U&"\+00e9"` in a database of any encoding. From 13 on (check_unicode_value in parser.c is new there). */
  readonly escapeBeyondAscii: boolean;
  /** MERGE in a WITH, and its RETURNING. From 17 on. */
  readonly returnFromMerge: boolean;
  /** The setting `transaction_timeout`. From 17 on. */
  readonly limitTransactions: boolean;
  /** The error of a RESTRICT key has the SQLSTATE 23001. From 18 on (ri_ReportViolation in ri_triggers.c). */
  readonly reportRestrict: boolean;
  /** RETURNING of the rows as they were and as they are: OLD and NEW. From 18 on. */
  readonly returnOldAndNew: boolean;
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
      returnOldAndNew: version >= 18,
    },
  };
  if (version <= NEWEST_CACHED) profiles.set(version, made);
  return made;
}

/** A server may report any number as its version: no profile is cached above this version, so that the map stays small. */
const NEWEST_CACHED = 100;
const profiles = new Map<number, Profile>();
