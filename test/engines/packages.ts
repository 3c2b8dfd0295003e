/** The engines that npm brings: they are in the package.json of test/clients, and a suite is skipped where they are missing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const manifest = new URL('../clients/package.json', import.meta.url);

/** Why a suite of it is skipped; undefined where it is there. */
export function missing(name: string): string | undefined {
  const isThere = existsSync(new URL(`node_modules/${name}/package.json`, manifest));
  return isThere ? undefined : `${name} is not installed (npm ci --prefix test/clients)`;
}

/** @returns what the package exports, unchecked: its types are not installed where these tests are compiled */
export function load(name: string): unknown {
  return createRequire(manifest)(name);
}
