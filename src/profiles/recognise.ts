/** Tells of which family a server is: by where it is, by what it reports at the login, and by its answer to one question. */
import { FAMILIES } from './families/all.js';
import { type Family, serverOf } from './families/family.js';
import { POSTGRES } from './families/postgres.js';
import { UNKNOWN } from './families/unknown.js';
import { OLDEST_POSTGRES } from './profile.js';

/** A family, and what the server calls itself. */
export interface Recognition {
  readonly family: Family;
  readonly server: string;
  /** It is known not to know what a catalog is asked. */
  readonly withoutCatalog?: boolean;
}

/** `maybe` is an old version of PostgreSQL, and what many servers report that are none: the question may tell more. */
export type Reported =
  | { readonly kind: 'certain' | 'maybe'; readonly recognition: Recognition }
  | { readonly kind: 'asked' };

/** The question whose answer `answeredFamily` reads. */
export const VERSION_QUESTION = 'SELECT pg_catalog.version()';

/** A server that does not know the question. */
export const WITHOUT_VERSION: Recognition = {
  family: UNKNOWN,
  server: 'one that does not know pg_catalog.version()',
};

/** Why no cascade is sent there as one statement: the end of a sentence that begins with what the server is. */
export function reasonOf({ family }: Recognition): string {
  return family.reason ?? 'its catalog does not know what it is asked';
}

/**
 * Whether a cascade is sent to servers of the family by several statements.
 * @param wanted cascade.strategy
 */
export function isSentInSteps({ strategy }: Family, wanted: 'auto' | 'single' | 'ordered'): boolean {
  return strategy === 'ordered' && wanted !== 'single';
}

/** The family that the configuration names. */
export function familyNamed(name: string): Recognition | undefined {
  const family = FAMILIES.find((each) => each.name === name);
  return family && { family, server: `${serverOf(family)} (by profile)` };
}

/**
 * @param host as the configuration names it
 * @param parameter what the server reported at the login
 */
export function reportedFamily(host: string, parameter: (name: string) => string | undefined): Reported {
  const certain = (family: Family, called: string): Reported => ({
    kind: 'certain',
    recognition: { family, server: named(family, called) },
  });
  for (const family of FAMILIES) {
    const { signs } = family;
    if (signs.host?.test(host)) return certain(family, host);
    const own = signs.parameter === undefined ? undefined : parameter(signs.parameter);
    if (own !== undefined) return certain(family, own);
  }
  const version = parameter('server_version');
  if (version === undefined) return certain(UNKNOWN, 'one that reports no server_version');
  const itself = familyCalled(version);
  if (itself) return certain(itself, `version ${version}`);
  // Such a version has PostgreSQL too, and it knows the question as well.
  if (FAMILIES.some(({ signs }) => signs.version === version)) return { kind: 'asked' };
  const isOld = (Number.parseInt(version, 10) || 0) < OLDEST_POSTGRES;
  return isOld
    ? { kind: 'maybe', recognition: { family: UNKNOWN, server: `version ${version}` } }
    : { kind: 'asked' };
}

/**
 * @param version the answer to VERSION_QUESTION
 * @param reported what the server is where the answer names nobody, and is no recent PostgreSQL
 */
export function answeredFamily(version: string, reported: Recognition): Recognition {
  const server = version.slice(0, 100);
  const [, major] = /^(?:PostgreSQL|EnterpriseDB) (\d+)/.exec(version) ?? [];
  const isRecent = Number(major ?? 0) >= OLDEST_POSTGRES;
  const itself = familyCalled(version);
  if (itself) {
    const withoutCatalog = itself.graph === 'pg_constraint' && major !== undefined && !isRecent;
    return { family: itself, server: named(itself, server), ...(withoutCatalog ? { withoutCatalog } : {}) };
  }
  if (isRecent) return { family: POSTGRES, server };
  return reported === WITHOUT_VERSION ? { family: UNKNOWN, server } : reported;
}

function familyCalled(version: string): Family | undefined {
  return FAMILIES.find(({ signs }) => signs.words?.test(version));
}

/** What a server calls itself, with the name of its family where that is not part of it. */
function named(family: Family, called: string): string {
  const name = serverOf(family);
  const isTold = family === UNKNOWN || called.toLowerCase().includes(name.toLowerCase());
  if (isTold) return called;
  return /^\d/.test(called) ? `${name} ${called}` : `${name} (${called})`;
}
