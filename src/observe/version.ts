import { existsSync, readFileSync } from 'node:fs';

/** The version of this program, as its package says it: the nearest above this file, which may have been built or not. */
export function version(): string {
  const { version: found } = JSON.parse(
    readFileSync(manifestAbove(new URL('.', import.meta.url)), 'utf8'),
  ) as {
    readonly version: string;
  };
  return found;
}

function manifestAbove(folder: URL): URL {
  const manifest = new URL('package.json', folder);
  const above = new URL('..', folder);
  return existsSync(manifest) || above.href === folder.href ? manifest : manifestAbove(above);
}
