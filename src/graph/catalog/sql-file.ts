import { readFileSync } from 'node:fs';

/**
 * The SQL in a file beside a module.
 * @param base the module's import.meta.url
 */
export function sqlFile(name: string, base: string): string {
  return readFileSync(new URL(name, base), 'utf8').trim();
}
