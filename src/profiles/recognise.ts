/** Tells PostgreSQL from servers that speak its protocol and have another catalog. */
import { OLDEST_POSTGRES } from './profile.js';

/** Servers that report a version of PostgreSQL, and name themselves there or in version(). */
const OTHERS =
  /cockroach|cratedb|duckdb|duckgres|gaussdb|hologres|materialize|questdb|redshift|risingwave|singlestore/i;

/** The question whose answer `otherThanPostgres` reads. */
export const VERSION_QUESTION = 'SELECT pg_catalog.version()';

/** What a server is that does not know the question. */
export const WITHOUT_VERSION = 'one that does not know pg_catalog.version()';

/**
 * Names the server by the parameters that it reports at the login.
 * @returns undefined where the server may be PostgreSQL
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
 * Names the server by its answer to VERSION_QUESTION.
 * @returns '' for PostgreSQL
 */
export function otherThanPostgres(version: string): string {
  const [, major = '0'] = /^(?:PostgreSQL|EnterpriseDB) (\d+)/.exec(version) ?? [];
  return Number(major) >= OLDEST_POSTGRES && !OTHERS.test(version) ? '' : version.slice(0, 100);
}
