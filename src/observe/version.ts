import { readFileSync } from 'node:fs';

/** The version of this program, as its package says it. */
export function version(): string {
  // The same place from src and from dist.
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
