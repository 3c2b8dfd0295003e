/** Shows suites of test/clients/python as tests of a file. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../support/programs.js';
import {
  type ForeignTest,
  jsonLines,
  output,
  showMissing,
  showTests,
  useTwinVariables,
} from './foreign-tests.js';

/** Of the modules that a suite imports: the package that brings it. */
const packages: Readonly<Record<string, string>> = {
  psycopg2: 'python3-psycopg2',
  psycopg: 'python3-psycopg',
  asyncpg: 'python3-asyncpg',
  sqlalchemy: 'python3-sqlalchemy',
  greenlet: 'python3-greenlet',
  flask_sqlalchemy: 'python3-flask-sqlalchemy',
  django: 'python3-django',
};

type Listed = { readonly suite: string } & (
  | { readonly tests: readonly ForeignTest[] }
  | { readonly missing: string }
);

// Debian's packages belong to Debian's Python; another one may come first in PATH.
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const runner = (...args: readonly string[]) => ({
  program: python,
  args: ['runner.py', ...args],
  cwd: fileURLToPath(new URL('python', import.meta.url)),
});

/**
 * Runs them one after the other, on one pair of databases.
 * @param titles of the suites, by module
 */
export async function showPythonSuites(titles: Readonly<Record<string, string>>): Promise<void> {
  const variables = useTwinVariables();
  if (!isInstalled(python)) {
    for (const title of Object.values(titles)) showMissing(title, 'Python', 'python3');
    return;
  }
  for (const listed of jsonLines<Listed>(await output(runner('list', ...Object.keys(titles))))) {
    const title = titles[listed.suite] ?? listed.suite;
    if ('tests' in listed) {
      showTests(title, listed.tests, runner('run', listed.suite), variables);
    } else {
      const brought = packages[listed.missing];
      if (brought === undefined)
        throw new Error(`${listed.suite} imports ${listed.missing}, which is unknown`);
      showMissing(title, listed.missing, brought);
    }
  }
}
