/** PostgreSQL's drivers for Python, from Debian's packages, get through the proxy what they get from enforced keys. */
import { showPythonSuites } from './python-suites.js';

await showPythonSuites({
  test_psycopg2: 'psycopg2',
  test_psycopg2_cursors: 'psycopg2 cursors',
  test_psycopg: 'psycopg 3',
  test_psycopg_pipeline: 'psycopg 3 pipelines and cursors',
  test_psycopg_forms: 'psycopg 3 forms',
  test_asyncpg: 'asyncpg',
  test_asyncpg_streams: 'asyncpg transactions, cursors and pools',
});
