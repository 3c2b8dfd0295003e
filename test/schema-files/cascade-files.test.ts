/** cascade.files: keys of schema files are followed beside those of the catalog; a broken file changes nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { mergeGraph } from '../../src/graph/merge.js';
import { relationsWithFiles } from '../../src/schema-files/file-relations.js';
import { workspace } from '../config/workspace.js';
import { catalog, declared, keySettings, overriding } from '../graph/shop-catalog.js';
import { useDatabase } from '../support/database.js';
import { startProxy } from '../support/proxy.js';

const MYSQL = `CREATE TABLE orgs (id int NOT NULL, PRIMARY KEY (id));
CREATE TABLE users (id int NOT NULL, org_id int, PRIMARY KEY (id), CONSTRAINT users_org FOREIGN KEY (org_id) REFERENCES orgs (id) ON DELETE CASCADE);`;

const database = useDatabase(
  'CREATE TABLE orgs (id int PRIMARY KEY); CREATE TABLE users (id int PRIMARY KEY, org_id int)',
);
let client: pg.Client;
beforeAll(async () => {
  client = await database.connect();
});
afterAll(() => client.end());
beforeEach(() =>
  client.query(
    'TRUNCATE orgs, users; INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (1, 1), (2, 2)',
  ),
);
const users = async () => (await client.query('SELECT id, org_id FROM users ORDER BY id')).rows;

test('a key of a file is followed; a reload reads the file again, and one that is broken changes nothing', async () => {
  const path = join(workspace({ 'shop.sql': MYSQL }), 'shop.sql');
  const cascade = { files: [{ path, dialect: 'mysql' as const }] };
  const proxy = await startProxy({ cascade });
  onTestFinished(() => proxy.stop());
  const through = await proxy.connect(database.name);
  await through.query('DELETE FROM orgs WHERE id = 1');
  expect(await users()).toEqual([{ id: 2, org_id: 2 }]);

  writeFileSync(path, `${MYSQL}\nALTER TABLE users ADD FOREIGN KEY (team_id) REFERENCES teams (id);`);
  expect(await proxy.reload({ cascade })).toEqual({
    kind: 'refused',
    reason: `cascade.files[0]: ${path}:3: there is no table teams\ncascade.files[0]: ${path}:3: there is no column team_id in table users`,
  });
  await through.query('INSERT INTO orgs VALUES (3); INSERT INTO users VALUES (3, 3)');
  await through.query('DELETE FROM orgs WHERE id = 3');
  expect(await users()).toEqual([{ id: 2, org_id: 2 }]);

  writeFileSync(path, MYSQL.replace('CASCADE', 'SET NULL'));
  expect(await proxy.reload({ cascade })).toMatchObject({ kind: 'applied' });
  await through.query('DELETE FROM orgs WHERE id = 2');
  expect(await users()).toEqual([{ id: 2, org_id: null }]);
});

test('a file that names a table which the database lacks stops the DELETE, by file and line', async () => {
  const path = join(
    workspace({ 'shop.sql': `${MYSQL}\nCREATE TABLE teams (org int REFERENCES orgs (id));` }),
    'shop.sql',
  );
  const proxy = await startProxy({ cascade: { files: [{ path, dialect: 'mysql' }] } });
  onTestFinished(() => proxy.stop());
  const through = await proxy.connect(database.name);
  await expect(through.query('DELETE FROM orgs')).rejects.toMatchObject({
    code: '0A000',
    detail: expect.stringContaining('there is no table public.teams'),
    hint: expect.stringContaining(`In cascade.files: ${path}:3, `),
  });
});

test('a file that cannot be read, or has data in it, is told', async () => {
  const folder = workspace({ 'large.sql': '' });
  writeFileSync(join(folder, 'large.sql'), Buffer.alloc(33 * 1024 * 1024, 0x20));
  const fail = (path: string) => relationsWithFiles([], [{ path, dialect: 'sqlite', schema: 'public' }]);
  await expect(fail(join(folder, 'no.sql'))).rejects.toThrow(
    `cascade.files[0]: ${folder}/no.sql: cannot be read: no such file or directory`,
  );
  await expect(fail(join(folder, 'large.sql'))).rejects.toThrow('has more than 32 MiB');
});

describe('what counts', () => {
  const from = (order: string) => ({ schema: 'shop', table: 'items', columns: [order] });
  const to = { schema: 'shop', table: 'orders', columns: ['id'] };
  const relation = {
    name: 'by_hand',
    from: from('order_id'),
    to,
    on_delete: 'restrict',
    unique: true,
  } as const;
  const fileWith = (action: string) => {
    const text = `CREATE TABLE orders (id int PRIMARY KEY);\nCREATE TABLE items (id int, order_id int, CONSTRAINT k FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE ${action});`;
    return [
      { path: join(workspace({ 'f.sql': text }), 'f.sql'), dialect: 'sqlite', schema: 'shop' },
    ] as const;
  };
  const asked = { number: 0, unique: true, columns: declared.columns };

  test('a relation of the configuration, before a file that relates the same columns', async () => {
    expect(await relationsWithFiles([relation], fileWith('CASCADE'))).toEqual([relation]);
    expect(await relationsWithFiles([{ ...relation, from: from('id') }], fileWith('CASCADE'))).toHaveLength(
      2,
    );
  });

  test('of two files the first', async () => {
    const files = [...fileWith('CASCADE'), ...fileWith('SET NULL')];
    expect(await relationsWithFiles([], files)).toMatchObject([{ name: 'k', on_delete: 'cascade' }]);
  });

  test('a key of the catalog that the server or the proxy performs; a file that says otherwise is told of', async () => {
    for (const enforced of [true, false]) {
      const known = { ...catalog, keys: [{ ...declared, enforced }], configured: [asked] };
      for (const [action, problems] of [
        ['CASCADE', 0],
        ['SET NULL', 1],
      ] as const) {
        const [file] = fileWith(action);
        const relations = await relationsWithFiles([], [file]);
        const graph = await mergeGraph(known, { ...keySettings, relations });
        expect(graph.keys.map(({ name }) => name)).toEqual(['items_order_fkey']);
        expect(graph.problems).toHaveLength(problems);
        if (problems > 0)
          expect(graph.problems[0]?.text).toBe(
            `cascade.files: ${file.path}:2: k is set null there, and cascade in the catalog (shop.items.items_order_fkey), which decides: cascade.overrides changes that`,
          );
      }
    }
  });

  test('an override, before both', async () => {
    const relations = await relationsWithFiles([], fileWith('SET NULL'));
    const settings = {
      ...keySettings,
      ...overriding('shop.items.*', 'restrict'),
      relations,
    };
    const { keys, problems } = await mergeGraph(
      { ...catalog, keys: [declared], configured: [asked] },
      settings,
    );
    expect([keys.map(({ action }) => action), problems]).toEqual([['restrict'], []]);
  });

  test('the file, where nobody performs the key of the catalog', async () => {
    const relations = await relationsWithFiles([], fileWith('CASCADE'));
    const known = { ...catalog, keys: [{ ...declared, enforced: false }], configured: [asked] };
    const graph = await mergeGraph(known, { ...keySettings, declared: false, relations });
    expect(graph.keys.map(({ name, performer }) => [name, performer])).toEqual([
      ['items_order_fkey', 'nobody'],
      ['k', 'proxy'],
    ]);
  });
});
