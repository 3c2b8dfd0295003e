/** The clients of Python, from Debian's packages, get through the proxy what they get from enforced keys. */
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

const suites: Readonly<Record<string, string>> = {
  test_psycopg2: 'psycopg2',
  test_psycopg2_cursors: 'psycopg2 cursors',
  test_psycopg: 'psycopg 3',
  test_psycopg_pipeline: 'psycopg 3 pipelines and cursors',
  test_asyncpg: 'asyncpg',
  test_sqlalchemy: 'SQLAlchemy ORM',
  test_sqlalchemy_bulk: 'SQLAlchemy bulk deletes and Core',
  test_sqlalchemy_asyncpg: 'SQLAlchemy on asyncpg',
  test_flask_sqlalchemy: 'Flask-SQLAlchemy',
  test_django: 'Django',
  test_django_schema: 'Django migrations',
};

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
const variables = useTwinVariables();

if (isInstalled(python)) {
  for (const listed of jsonLines<Listed>(await output(runner('list', ...Object.keys(suites))))) {
    const title = suites[listed.suite] ?? listed.suite;
    if ('tests' in listed) {
      showTests(title, listed.tests, runner('run', listed.suite), variables);
    } else {
      const brought = packages[listed.missing];
      if (brought === undefined)
        throw new Error(`${listed.suite} imports ${listed.missing}, which is unknown`);
      showMissing(title, listed.missing, brought);
    }
  }
} else {
  for (const title of Object.values(suites)) showMissing(title, 'Python', 'python3');
}
