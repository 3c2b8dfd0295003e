/**
 * A temporary relation hides the table of its name for as long as it is there: a DELETE of that name cascades before and after,
 * and natively, whoever made it, and whatever made it go.
 */
import { beforeAll, describe, test } from 'vitest';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

const twin = useTwin({ graph: { refresh: '1h' } });
const native = asNativeOn(twin);

/** Functions hide what they do from whoever reads the statements that call them. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  hide: 'CREATE TEMP TABLE orgs (id int); INSERT INTO orgs VALUES (100), (200)',
  hide_till_commit: 'CREATE TEMP TABLE orgs (id int) ON COMMIT DROP',
  reveal: 'DROP TABLE orgs',
  rename: 'ALTER TABLE orgs RENAME TO orgs_before',
  discard: 'DISCARD TEMP',
  drop_elsewhere: 'DROP TABLE elsewhere.users',
  look_elsewhere: `SET search_path = elsewhere, public`,
  look_here: `SET search_path = public, elsewhere`,
};

beforeAll(async () => {
  const bodies = Object.entries(FUNCTIONS).map(
    ([name, body]) =>
      `CREATE FUNCTION ${name}() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${body}; RETURN 1; END $$;`,
  );
  const schema = 'CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.orgs (id int);';
  for (const database of [twin.native, twin.emulated]) {
    const client = await database.connect();
    await client.query(schema + bodies.join(''));
    await client.end();
  }
});

const MAKES: readonly string[] = [
  'CREATE TEMP TABLE orgs (id int)',
  'CREATE TEMP TABLE orgs (id int PRIMARY KEY) ON COMMIT DELETE ROWS',
  'CREATE TEMPORARY TABLE IF NOT EXISTS orgs (id int)',
  'CREATE LOCAL TEMP TABLE "orgs" (id int)',
  'CREATE GLOBAL TEMP TABLE ORGS (id int)',
  'CREATE TEMP TABLE /* of (all) */ pg_temp.orgs (id int)',
  `CREATE TEMP TABLE U&"\\006frgs" (id int)`,
  `CREATE TEMP TABLE U&"!006frgs" UESCAPE '!' (id int)`,
  'CREATE TABLE pg_temp.orgs (id int)',
  'CREATE TEMP TABLE orgs (LIKE public.orgs INCLUDING ALL)',
  'CREATE TEMP TABLE orgs AS SELECT 100 AS id',
  'CREATE TEMP TABLE orgs AS EXECUTE hundred',
  'SELECT 100 AS id INTO TEMP orgs',
  'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) CREATE TEMP TABLE orgs AS SELECT 100 AS id',
  'CREATE TEMP VIEW orgs AS SELECT id FROM alone',
  'CREATE TEMP TABLE scratch (id int); ALTER TABLE scratch RENAME TO orgs',
  'DO $$ BEGIN CREATE TEMP TABLE orgs (id int); END $$',
  'SELECT hide()',
];

const ENDS: readonly string[] = [
  'DROP TABLE orgs',
  'DROP TABLE IF EXISTS pg_temp.orgs CASCADE',
  'SELECT reveal()',
  'ALTER TABLE orgs RENAME TO orgs_before',
  'SELECT rename()',
  'DISCARD TEMP',
  'DISCARD ALL',
  'SELECT discard()',
  'DO $$ BEGIN DROP TABLE orgs; END $$',
];

const ROWS =
  'INSERT INTO public.orgs VALUES (100), (200); INSERT INTO public.users VALUES (1000, 100), (2000, 200)';
const LEFT = 'SELECT (SELECT count(*) FROM public.orgs), count(*) FROM public.users';
const CLEAN =
  'DELETE FROM public.users WHERE id >= 1000; DELETE FROM public.orgs WHERE id >= 100; DISCARD TEMP; RESET search_path';
const [ONE, OTHER] = ['DELETE FROM orgs WHERE id = 100', 'DELETE FROM orgs WHERE id = 200'];
/** The graph is known, and what the name means is not. */
const GRAPH = 'DELETE FROM users WHERE id = -1';
const NAME = 'DELETE FROM orgs WHERE id = -1';

/** The rows are there again, and what the name means is known or not, before the texts. */
const from = (first: string, ...texts: readonly string[]) => [
  ...[CLEAN, 'DEALLOCATE ALL', 'PREPARE hundred AS SELECT 100 AS id', ROWS, first],
  ...[...texts, LEFT],
];
const around = (...texts: readonly string[]) => [GRAPH, NAME].flatMap((first) => from(first, ...texts));
/** Where a function hides a table that was asked for, a DELETE that cannot be sent again fails (PGC_MOVED). */
const within = (make: string, ...texts: readonly string[]) =>
  from(make.startsWith('SELECT hide') ? GRAPH : NAME, ...texts);

describe.each(
  MAKES.map((make, i) => ({ make, some: [0, 3, 6].map((n) => ENDS[(i + n) % ENDS.length] ?? '') })),
)('what hides a table: $make', ({ make, some }) => {
  test('hides it from a DELETE till it is gone', () =>
    native.queries(...some.flatMap((end) => around(make, ONE, LEFT, ONE, end, OTHER, LEFT, ONE))));

  test('hides it till the end of its transaction', () =>
    native.queries(
      ...within(make, 'BEGIN', make, ONE, LEFT, 'ROLLBACK', OTHER, LEFT, ONE),
      ...within(make, 'BEGIN', make, ONE, 'COMMIT', ONE, LEFT, 'DROP TABLE orgs', ONE),
      ...within(make, 'BEGIN', make, `${ONE}; ROLLBACK; ${OTHER}`, LEFT, ONE),
    ));

  test('hides it till the savepoint before it', () =>
    native.queries(
      ...within(make, 'BEGIN', 'SAVEPOINT s', make, ONE, 'ROLLBACK TO s', OTHER, LEFT, 'COMMIT'),
      ...within(make, 'BEGIN', 'SAVEPOINT s', make, ONE, 'RELEASE s', OTHER, LEFT, 'ROLLBACK', ONE),
    ));
});

test.each(ENDS)('a temporary table hides a table till it is gone: %s', (end) =>
  native.queries(
    ...around('CREATE TEMP TABLE orgs (id int)', ONE, end, OTHER, LEFT, ONE),
    ...from(GRAPH, 'SELECT hide()', `${ONE}; ${OTHER}`, LEFT, end, `${OTHER}; ${ONE}`),
    ...from(GRAPH, 'BEGIN', 'SELECT hide()', `${ONE}; ${end}; ${OTHER}`, 'ROLLBACK', ONE),
  ));

describe('a temporary table that is dropped at the COMMIT', () => {
  test.each([
    'CREATE TEMP TABLE orgs (id int) ON COMMIT DROP',
    'SELECT hide_till_commit()',
  ])('hides none then: %s', (make) =>
    native.queries(
      ...within(make, 'BEGIN', make, ONE, LEFT, 'COMMIT', OTHER, LEFT, ONE),
      ...within(make, 'BEGIN', make, `${ONE}; COMMIT; ${OTHER}`, LEFT),
      ...within(make, 'BEGIN', make, 'SAVEPOINT s', ONE, 'ROLLBACK TO s', ONE, LEFT, 'COMMIT', OTHER),
      ...within(make, 'BEGIN', make, ONE, 'SELECT 1/0', 'COMMIT', OTHER),
    ));
});

describe('a search_path', () => {
  test('that names pg_temp last finds the permanent table', () =>
    native.queries(
      ...['public, pg_temp', 'pg_temp, public', 'public'].flatMap((path) =>
        around(
          `SET search_path = ${path}`,
          'CREATE TEMP TABLE orgs (id int)',
          ONE,
          LEFT,
          'RESET search_path',
          OTHER,
        ),
      ),
    ));

  test('that a function sets decides which table is meant', () =>
    native.queries(
      ...around('SELECT look_elsewhere()', ONE, LEFT, 'SELECT look_here()', OTHER, LEFT, ONE),
      ...around('BEGIN', 'SELECT look_elsewhere()', ONE, LEFT, 'ROLLBACK', OTHER, LEFT, ONE),
    ));
});

test('a table in another schema that a function drops hides none any more', () =>
  native.queries(
    'CREATE TABLE elsewhere.users (id int)',
    'SET search_path = elsewhere, public',
    'DELETE FROM users WHERE id = 11',
    'SELECT drop_elsewhere()',
    'DELETE FROM users WHERE id = 11',
  ));
