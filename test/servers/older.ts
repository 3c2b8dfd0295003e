/** PostgreSQL before 18, by npm: the packages are in the package.json beside this file. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const VERSIONS = [15, 16, 17] as const;
export type Version = (typeof VERSIONS)[number];

/** The folder of its programs, as `packaged` of startPostgres takes it; undefined where the package is not installed. */
export function packagedServer(version: Version): string | undefined {
  const name = `postgres-${version}-${process.platform}-${process.arch}`;
  const native = fileURLToPath(new URL(`node_modules/${name}/native`, import.meta.url));
  return existsSync(native) ? native : undefined;
}

export const NOT_INSTALLED = 'it is not installed (npm ci --prefix test/servers)';
