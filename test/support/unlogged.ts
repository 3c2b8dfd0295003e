import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Holds that no secret, and no value of a client's, is in the log of any proxy of the tests, at any level. A line that has one
 * fails the run: it is thrown where nobody catches it, as the proxy that logs it must not notice.
 */

/** Tests of what is logged have it in the values of their statements. */
export const UNLOGGED = 'unlogged';

/** Passwords of the tests, what PostgreSQL keeps of them, and keys. */
const SECRETS = /correct horse|correct%20horse|open sesame|SCRAM-SHA-256\$\d|PRIVATE KEY-----/;

/**
 * Looks at all that a program writes to standard error, while somebody else may read it too.
 * @returns the program
 */
export function watched<Child extends ChildProcess>(program: Child): Child {
  // By lines: a read may end within a word.
  if (program.stderr) createInterface({ input: program.stderr }).on('line', failWhereLogged);
  return program;
}

/** @param line of a log */
export function failWhereLogged(line: string): void {
  if (!SECRETS.test(line) && !line.includes(UNLOGGED)) return;
  queueMicrotask(() => {
    throw new Error(`a secret, or a value of a client's, is logged: ${line}`);
  });
}
