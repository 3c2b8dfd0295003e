/** A configured relation is what a foreign key would be: the oracle is ALTER TABLE … ADD FOREIGN KEY. */
import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { readAnswer } from '../../src/graph/catalog/answer.js';
import type { Catalog } from '../../src/graph/catalog/catalog.js';
import type { ConfiguredKey } from '../../src/graph/catalog/key-settings.js';
import { catalogQuestion } from '../../src/graph/catalog/question.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase(`
  CREATE SCHEMA x; CREATE EXTENSION citext SCHEMA x; CREATE EXTENSION hstore SCHEMA x;
  CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE place AS (x int, y int); CREATE TYPE span AS RANGE (subtype = float8);
  CREATE TYPE "Odd Type" AS ENUM ('a');
  CREATE DOMAIN small AS int CHECK (VALUE < 100); CREATE DOMAIN smaller AS small; CREATE DOMAIN word AS varchar(9);
  CREATE DOMAIN feeling AS mood; CREATE DOMAIN many AS int[];
  CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`);

const TYPES = [
  'bool',
  'int2',
  'int4',
  'int8',
  'numeric(9,2)',
  'float4',
  'float8',
  'money',
  'oid',
  'regclass',
  'tid',
  'xid',
  'text',
  'varchar(9)',
  'char(9)',
  '"char"',
  'name',
  'bytea',
  'bit(3)',
  'varbit',
  'uuid',
  'json',
  'jsonb',
  'xml',
  'inet',
  'cidr',
  'macaddr',
  'date',
  'time',
  'timetz',
  'timestamp',
  'timestamptz',
  'interval',
  'point',
  'int4range',
  'int8range',
  'int4multirange',
  'int4[]',
  'int8[]',
  'text[]',
  'varchar[]',
  'int2vector',
  'oidvector',
  'tsvector',
  'pg_lsn',
  'mood',
  'feeling',
  'place',
  'span',
  '"Odd Type"',
  'small',
  'smaller',
  'word',
  'many',
  'x.citext',
  'x.hstore',
]; // prettier-ignore

let client: pg.Client;
beforeAll(async () => {
  client = await database.connect();
});

async function configured(keys: readonly ConfiguredKey[]): Promise<Catalog['configured']> {
  const text = catalogQuestion({ names: [], fingerprint: false, catalog: true, server: false }, keys);
  const { rows } = await client.query<[string]>({ text, rowMode: 'array' });
  return (await readAnswer(rows[0]?.[0] ?? '')).catalog?.configured ?? [];
}

function relation(from: string, fromColumns: string[], to: string, toColumns: string[]): ConfiguredKey {
  const side = (table: string, columns: string[]) => ({ schema: 'public', table, columns });
  return {
    name: 'k',
    from: side(from, fromColumns),
    to: side(to, toColumns),
    on_delete: 'cascade',
    unique: true,
  };
}

/** The operators of the foreign key, or undefined where PostgreSQL refuses it. */
async function native(key: ConfiguredKey): Promise<readonly string[] | undefined> {
  const columns = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');
  await client.query('BEGIN');
  try {
    await client.query(
      `ALTER TABLE "${key.from.table}" ADD CONSTRAINT k FOREIGN KEY (${columns(key.from.columns)}) REFERENCES "${key.to.table}" (${columns(key.to.columns)})`,
    );
    const { rows } = await client.query(
      `SELECT array_agg(concat(quote_ident(n.nspname), '.', o.oprname, ' ', o.oprleft::regtype, ' ', o.oprright::regtype) ORDER BY u.i) AS operators
         FROM pg_constraint c CROSS JOIN unnest(c.conpfeqop) WITH ORDINALITY AS u (op, i) JOIN pg_operator o ON o.oid = u.op
         JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE c.conname = 'k' AND c.contype = 'f'`,
    );
    return rows[0].operators;
  } catch {
    return undefined;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** The operators that the catalog's question finds for the same columns. */
async function found(key: ConfiguredKey): Promise<readonly (string | undefined)[] | undefined> {
  const [each] = await configured([key]);
  if (each?.unique !== true || each.columns.some(({ operator }) => operator === null)) return undefined;
  return each.columns.map(({ operator }) => operator ?? undefined);
}

describe('the operators of a relation', () => {
  test('are those of a foreign key, or there are none, for every pair of types', async () => {
    const hasBtree = async (type: string) => {
      await client.query('SAVEPOINT s');
      try {
        await client.query(`CREATE TABLE probe (c ${type} PRIMARY KEY)`);
        return true;
      } catch {
        return false;
      } finally {
        await client.query('ROLLBACK TO s');
      }
    };
    await client.query('BEGIN');
    const referenced: string[] = [];
    for (const type of TYPES) if (await hasBtree(type)) referenced.push(type);
    const columns = (types: readonly string[], rest = '') => types.map((type, i) => `c${i} ${type}${rest}`);
    await client.query(`CREATE TABLE child (${columns(TYPES).join(', ')});
      CREATE TABLE parent (${columns(referenced, ' UNIQUE').join(', ')})`);
    const keys = referenced.flatMap((_, p) =>
      TYPES.map((_, c) => relation('child', [`c${c}`], 'parent', [`c${p}`])),
    );
    const ours = await configured(keys);
    await client.query(`
      CREATE TEMP TABLE native (child int, parent int, operator text);
      DO $$
      BEGIN
        FOR p IN 0..${referenced.length - 1} LOOP FOR c IN 0..${TYPES.length - 1} LOOP
          BEGIN
            EXECUTE format('ALTER TABLE child ADD CONSTRAINT k FOREIGN KEY (c%s) REFERENCES parent (c%s)', c, p);
            INSERT INTO native SELECT c, p, concat(quote_ident(n.nspname), '.', o.oprname) FROM pg_constraint k
              JOIN pg_operator o ON o.oid = k.conpfeqop[1] JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE k.conname = 'k';
            ALTER TABLE child DROP CONSTRAINT k;
          EXCEPTION
            WHEN datatype_mismatch THEN NULL;
            -- From 18 on, where only one of the types has collations; before, the key is made.
            WHEN internal_error THEN INSERT INTO native VALUES (c, p, 'any');
          END;
        END LOOP; END LOOP;
      END $$`);
    const { rows } = await client.query('SELECT child, parent, operator FROM native');
    const byNumber = new Map(ours.map((each) => [each.number, each]));
    const natives = new Map(
      rows.map(({ child, parent, operator }) => [parent * TYPES.length + child, operator]),
    );
    const differing = keys.flatMap((_, i) => {
      const [p, c] = [Math.floor(i / TYPES.length), i % TYPES.length];
      const [mine, oracle] = [byNumber.get(i)?.columns[0]?.operator ?? undefined, natives.get(i)];
      return mine === oracle || oracle === 'any'
        ? []
        : [`${TYPES[c]} → ${referenced[p]}: ${mine}, natively ${oracle}`];
    });
    await client.query('ROLLBACK');
    expect(differing).toEqual([]);
    expect(natives.size).toBeGreaterThan(referenced.length);
  }, 60_000);
});

describe('the referenced columns', () => {
  const ROWS = `CREATE TABLE child (a int, b int, c int);`;
  test.each([
    ['a primary key', 'CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b))', ['a', 'b']],
    ['a primary key in another order', 'CREATE TABLE parent (a int, b int, PRIMARY KEY (b, a))', ['a', 'b']],
    ['a unique constraint', 'CREATE TABLE parent (a int, b int, UNIQUE (a))', ['a']],
    ['a unique index', 'CREATE TABLE parent (a int, b int); CREATE UNIQUE INDEX ON parent (a)', ['a']],
    ['one that includes others', 'CREATE TABLE parent (a int, b int, UNIQUE (a) INCLUDE (b))', ['a']],
    [
      'only the columns that it includes',
      'CREATE TABLE parent (a int, b int, UNIQUE (a) INCLUDE (b))',
      ['b'],
    ],
    ['nulls not distinct', 'CREATE TABLE parent (a int, b int, UNIQUE NULLS NOT DISTINCT (a))', ['a']],
    ['fewer columns than the index', 'CREATE TABLE parent (a int, b int, UNIQUE (a, b))', ['a']],
    ['more columns than the index', 'CREATE TABLE parent (a int, b int, UNIQUE (a))', ['a', 'b']],
    ['one that is deferrable', 'CREATE TABLE parent (a int, b int, UNIQUE (a) DEFERRABLE)', ['a']],
    [
      'one that is partial',
      'CREATE TABLE parent (a int, b int); CREATE UNIQUE INDEX ON parent (a) WHERE b > 0',
      ['a'],
    ],
    [
      'one of an expression',
      'CREATE TABLE parent (a int, b int); CREATE UNIQUE INDEX ON parent ((a + 0))',
      ['a'],
    ],
    ['an index that is not unique', 'CREATE TABLE parent (a int, b int); CREATE INDEX ON parent (a)', ['a']],
    ['none at all', 'CREATE TABLE parent (a int, b int)', ['a']],
    [
      'of a partitioned table, as long as a partition has none',
      'CREATE TABLE parent (a int, b int) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parent DEFAULT; CREATE UNIQUE INDEX ON ONLY parent (a)',
      ['a'],
    ],
    [
      'of a partitioned table',
      'CREATE TABLE parent (a int, b int, PRIMARY KEY (a)) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parent DEFAULT',
      ['a'],
    ],
  ])('are unique where a foreign key takes them so: %s', async (_, schema, columns) => {
    await client.query(`DROP TABLE IF EXISTS child, parent CASCADE; ${ROWS} ${schema}`);
    const key = relation('child', columns, 'parent', columns);
    const operators = (await native(key))?.map((operator) => operator.split(' ')[0]);
    expect(await found(key)).toEqual(operators);
  });
});

test('a table that is altered in place keeps the operators of its unique index', async () => {
  await client.query(`DROP TABLE IF EXISTS child, parent CASCADE; CREATE TABLE child (a int, b int);
    CREATE TABLE parent (dropped int, b int, a int); ALTER TABLE parent DROP dropped; CREATE UNIQUE INDEX ON parent (b, a)`);
  expect(await found(relation('child', ['a', 'b'], 'parent', ['a', 'b']))).toEqual([
    'pg_catalog.=',
    'pg_catalog.=',
  ]);
});

test('columns that are not unique are compared by the operator class of their type', async () => {
  await client.query(`DROP TABLE IF EXISTS child, parent CASCADE; CREATE TABLE parent (a varchar(5), b x.citext, c json, d xid, e small);
    CREATE TABLE child (a text, b x.citext, c json, d xid, e int8)`);
  const ask = async (column: string) =>
    (await configured([relation('child', [column], 'parent', [column])]))[0]?.columns;
  expect(await ask('a')).toMatchObject([{ operator: 'pg_catalog.=', left: 'pg_catalog.text', right: null }]);
  expect(await ask('b')).toMatchObject([{ operator: 'x.=' }]);
  expect(await ask('c')).toMatchObject([{ operator: null }]);
  expect(await ask('d')).toMatchObject([{ operator: 'pg_catalog.=' }]);
  expect(await ask('e')).toMatchObject([{ operator: 'pg_catalog.=', left: 'pg_catalog.int4', right: null }]);
});
