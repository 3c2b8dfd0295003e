/**
 * Suites whose packages the project does not install: they are in the package.json of test/clients. Where they are
 * missing, a suite is skipped, and says so by its name.
 */
import { existsSync } from 'node:fs';
import { describe } from 'vitest';
import { describeMissing } from '../../support/programs.js';

const install = 'npm ci --prefix test/clients';

export interface Client<Modules> {
  readonly name: string;
  /** The packages that must be there. One that is installed elsewhere does not count: its version is not pinned here. */
  readonly packages: readonly string[];
  /** Imports them: a static import would fail where they are missing. */
  readonly load: () => Promise<Modules>;
}

/** Describes a client: `suite` gets its modules. To be awaited, so that its tests are known when the file has run. */
export async function describeClient<Modules>(
  { name, packages, load }: Client<Modules>,
  suite: (modules: Modules) => void,
): Promise<void> {
  if (packages.every(isInstalled)) {
    const modules = await load();
    describe(name, () => suite(modules));
    return;
  }
  describeMissing(name, `it is not installed (${install})`);
}

function isInstalled(name: string): boolean {
  return existsSync(new URL(`../node_modules/${name}/package.json`, import.meta.url));
}
