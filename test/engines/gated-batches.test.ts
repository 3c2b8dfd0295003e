/** Cascades in batches behind the gates of families whose catalog is PostgreSQL's: no transaction changes more rows than one may there. */
import type pg from 'pg';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { type GateOptions, rowLimit } from './gate.js';
import { startGated } from './gated.js';
import { GATES } from './gates.js';

/** More rows than Aurora DSQL lets a transaction change: its limit holds. */
const LIMIT = 3000;
const TABLES = ['orgs', 'users', 'posts', 'notes', 'nodes'];

/** @param keys what stands after each key */
const schema = (keys: (key: string) => string) => [
  'CREATE TABLE orgs (id int PRIMARY KEY)',
  `CREATE TABLE users (id int PRIMARY KEY, org int ${keys('REFERENCES orgs ON DELETE CASCADE')})`,
  `CREATE TABLE posts (id int PRIMARY KEY, author int ${keys('REFERENCES users ON DELETE CASCADE')})`,
  `CREATE TABLE notes (id int PRIMARY KEY, author int ${keys('REFERENCES users ON DELETE SET NULL')})`,
  `CREATE TABLE nodes (id int PRIMARY KEY, parent int ${keys('REFERENCES nodes ON DELETE CASCADE')},
     org int ${keys('REFERENCES orgs ON DELETE CASCADE')})`,
  'CREATE INDEX ON users (org)',
  ...['posts', 'notes'].map((table) => `CREATE INDEX ON ${table} (author)`),
  ...['parent', 'org'].map((column) => `CREATE INDEX ON nodes (${column})`),
];
const ROWS = [
  'INSERT INTO orgs VALUES (1), (2)',
  'INSERT INTO users SELECT i, 1 + i % 2 FROM generate_series(1, 8000) AS i',
  'INSERT INTO posts SELECT i, 1 + i % 8000 FROM generate_series(1, 24000) AS i',
  'INSERT INTO notes SELECT i, 1 + i % 8000 FROM generate_series(1, 7000) AS i',
  'INSERT INTO nodes SELECT i, nullif(i / 8, 0), CASE WHEN i = 1 THEN 1 END FROM generate_series(1, 4000) AS i',
];
const declared = (key: string) => key;
const undeclared = () => '';

const LEFT = TABLES.map(
  (table) =>
    `SELECT '${table}' AS t, count(*)::int, md5(string_agg(r::text, ',' ORDER BY id)) FROM ${table} AS r`,
)
  .join(' UNION ALL ')
  .concat(' ORDER BY t');
const left = async (client: Pick<pg.Client, 'query'>) => (await client.query(LEFT)).rows;

const KEYS = [
  ['users(org)', 'orgs(id)', 'cascade'],
  ['posts(author)', 'users(id)', 'cascade'],
  ['notes(author)', 'users(id)', 'set null'],
  ['nodes(parent)', 'nodes(id)', 'cascade'],
  ['nodes(org)', 'orgs(id)', 'cascade'],
] as const;
const relations = KEYS.map(([from, to, on_delete], i) => ({
  name: `fk_${i}`,
  from: `public.${from}`,
  to: `public.${to}`,
  on_delete,
}));

const DELETE = 'DELETE FROM orgs WHERE id = 1';
let native: readonly object[];
const oracle = useDatabase([...schema(declared), ...ROWS].join(';\n'));
beforeAll(async () => {
  const client = await oracle.connect();
  await client.query(DELETE);
  native = await left(client);
});

/** A client through a proxy before the gate, what it is told, and a client that sees what is there. */
async function connect(gate: GateOptions, made: readonly string[], options: ProxyOptions) {
  const gated = await startGated(gate, [...made, ...ROWS, ...rowLimit(LIMIT, TABLES)]);
  onTestFinished(() => gated.close());
  const proxy = await startProxy({ upstream: `postgres://${gated.host}:${gated.port}`, ...options });
  onTestFinished(() => proxy.stop());
  const client = await proxy.connect(gated.database);
  const notices: string[] = [];
  client.on('notice', ({ message }) => notices.push(message ?? ''));
  return { client, gated, notices };
}

const DSQL = { profile: 'dsql' } as const;
const PROXY = { ...DSQL, cascade: { relations } } as const;
test.each([
  ['whose own keys cascade', schema(declared), 'SET pgcascade.batch_rows = 50000', LIMIT, DSQL],
  ['without keys', schema(undeclared), 'SET pgcascade.batch_rows = 2500', 2500, PROXY],
  ['whose own keys cascade, at its limit', schema(declared), 'SET pgcascade.on_limit = batch', 2500, DSQL],
  ['without keys, at its limit', schema(undeclared), 'SET pgcascade.on_limit = batch', 2500, PROXY],
] as const)('Aurora DSQL, %s: no batch has more rows than a transaction may change', async (...given) => {
  const [, made, setting, most, options] = given;
  const { client, gated, notices } = await connect(GATES.dsql, made, options as ProxyOptions);
  await client.query(setting);
  expect((await client.query(DELETE)).rowCount).toBe(1);
  expect(await left(client)).toEqual(native);
  const isTold = notices[0]?.includes(`in batches of ${most} rows`);
  expect(isTold).toBe(setting.includes('on_limit'));
  expect(notices.length).toBeGreaterThanOrEqual(Math.floor(20_000 / most));
  expect(gated.refused).toEqual([]);
});

describe('Greenplum 7', () => {
  test('batches leave what enforced keys leave', async () => {
    const { client, gated } = await connect(GATES.greenplum7, schema(undeclared), {
      cascade: { relations: relations.slice(0, 3), batch_rows: 2500 },
    });
    expect((await client.query(DELETE)).rowCount).toBe(1);
    const isTaken = (row: { readonly t?: string }) => row.t !== 'nodes';
    expect((await left(client)).filter(isTaken)).toEqual(native.filter(isTaken));
    expect(gated.refused).toEqual([]);
  });

  test('what only the places of rows tell apart is refused: each segment counts its own', async () => {
    const { client } = await connect(GATES.greenplum7, schema(undeclared), {
      cascade: { relations, batch_rows: 2500 },
    });
    const before = await left(client);
    await expect(client.query(DELETE)).rejects.toMatchObject({
      code: '0A000',
      message: expect.stringContaining('which nothing tells apart on Greenplum'),
    });
    expect(await left(client)).toEqual(before);
  });
});

test('where the graph is made of names alone they are refused', async () => {
  const cascade = { relations, batch_rows: 2500 };
  const { client } = await connect(GATES.greenplum6, schema(undeclared), { cascade });
  await expect(client.query(DELETE)).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('in batches: the server is Greenplum'),
  });
});

test('on Greenplum one transaction does not take rows either that only their places tell apart', async () => {
  const tables = ['CREATE TABLE parents (id int UNIQUE)', 'CREATE TABLE kids (parent int)'];
  const rows = ['INSERT INTO parents VALUES (1), (2)', 'INSERT INTO kids VALUES (1), (2)'];
  const { client } = await connect(GATES.greenplum7, [...tables, ...rows, ...schema(undeclared)], {
    cascade: {
      relations: [
        { name: 'kids_fkey', from: 'public.kids(parent)', to: 'public.parents(id)', on_delete: 'cascade' },
      ],
    },
  });
  await expect(client.query('DELETE FROM parents WHERE id = 1')).rejects.toMatchObject({
    code: '0A000',
    message: expect.stringContaining('which nothing tells apart on Greenplum'),
  });
  expect(
    (await client.query('SELECT (SELECT count(*) FROM parents) + (SELECT count(*) FROM kids) AS n')).rows,
  ).toEqual([{ n: '4' }]);
});
