/** Tells PostgreSQL from servers that only speak its protocol: their catalogs are not its. */
import { OLDEST_POSTGRES } from './profile.js';

/** They report a version of PostgreSQL's, or name themselves in version(). */
const OTHERS =
  /cockroach|cratedb|duckdb|duckgres|gaussdb|hologres|materialize|questdb|redshift|risingwave|singlestore/i;

/** The question whose answer `otherThanPostgres` reads. */
export const VERSION_QUESTION = 'SELECT pg_catalog.version()';

/** What a server is that does not know the question. */
export const WITHOUT_VERSION = 'one that does not know pg_catalog.version()';

/**
 * What a server is by the parameters that it reports at the login.
 * @returns undefined where it may be PostgreSQL
 */
export function reportedServer(parameter: (name: string) => string | undefined): string | undefined {
  const crate = parameter('crate_version');
  if (crate !== undefined) return `CrateDB ${crate}`;
  const cockroach = parameter('crdb_version');
  if (cockroach !== undefined) return cockroach;
  const version = parameter('server_version');
  if (version === undefined) return 'one that reports no server_version';
  const isOld = (Number.parseInt(version, 10) || 0) < OLDEST_POSTGRES;
  return isOld || OTHERS.test(version) ? `version ${version}` : undefined;
}

/**
 * What a server is by its answer to VERSION_QUESTION.
 * @returns '' for PostgreSQL
 */
export function otherThanPostgres(version: string): string {
  const [, major = '0'] = /^(?:PostgreSQL|EnterpriseDB) (\d+)/.exec(version) ?? [];
  return Number(major) >= OLDEST_POSTGRES && !OTHERS.test(version) ? '' : version.slice(0, 100);
}
