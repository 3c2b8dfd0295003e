/**
 * What a server can do: its family, and what its version of PostgreSQL brings. Plain data. No other room of src compares version
 * numbers.
 */
import type { Family } from './families/family.js';
import { POSTGRES } from './families/postgres.js';

export interface Profile {
  readonly family: Family;
  /** The server's major version of PostgreSQL, as it reports it; 0 where it has not. */
  readonly version: number;
  readonly can: Abilities;
  /** Its catalog can be asked what src/graph/catalog asks. */
  readonly hasCatalog: boolean;
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

/** The profile of PostgreSQL itself. */
export function postgres(version: number): Profile {
  return profileOf(POSTGRES, version);
}

/** The same object for the same family and version. */
export function profileOf(family: Family, version: number): Profile {
  const key = `${family.name} ${version}`;
  const known = profiles.get(key);
  if (known) return known;
  const made: Profile = {
    family,
    version,
    can: {
      compileQueries: version >= 11,
      escapeBeyondAscii: version >= 13,
      returnFromMerge: version >= 17,
      limitTransactions: version >= 17,
      reportRestrict: version >= 18,
      returnOldAndNew: version >= 18,
    },
    hasCatalog: family.graph === 'pg_constraint' && version >= OLDEST_POSTGRES,
  };
  if (version <= NEWEST_CACHED) profiles.set(key, made);
  return made;
}

/** A server may report any number as its version: no profile is cached above this version, so that the map stays small. */
const NEWEST_CACHED = 100;
const profiles = new Map<string, Profile>();
