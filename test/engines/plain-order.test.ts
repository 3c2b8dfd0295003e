/** Without transactions what others see between two statements is what an interruption leaves: never a row that references one that is gone. */
import { expect, onTestFinished, test } from 'vitest';
import { startGated } from './gated.js';
import { GATES } from './gates.js';
import { through } from './twin-sides.js';
import { createTable, type World, world } from './worlds.js';

/** Counts after each statement the rows that reference one that is gone. */
function watching({ keys, tables }: World): readonly string[] {
  const orphans = keys.map(
    ({ columns: [own], from, to }) =>
      `(SELECT count(*) FROM ${from} AS r WHERE ${own} IS NOT NULL AND NOT EXISTS (SELECT FROM ${to} AS d WHERE d.id = r.${own}))`,
  );
  return [
    'CREATE TABLE seen (orphans int)',
    `CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN INSERT INTO seen SELECT ${orphans.join(' + ')}; RETURN NULL; END $$`,
    ...tables.map(
      (table) => `CREATE TRIGGER look AFTER DELETE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION look()`,
    ),
  ];
}

async function begun(of: World, rows: readonly string[], sql: string) {
  const schema = [...of.tables.map((table) => createTable(of, table, 'none')), ...rows, ...watching(of)];
  const gated = await startGated(GATES.cratedb, schema);
  onTestFinished(() => gated.close());
  const options = { cascade: { atomic: false } };
  const client = await through(gated, [of], 'public', options, { user: 'postgres' });
  const counts = of.tables.map((table) => `(SELECT count(*) FROM ${table})`);
  const text = `SELECT (SELECT max(orphans) FROM seen) AS orphans, (${counts.join(' + ')})::int AS left`;
  return { client, sql, result: async () => (await client.query(text)).rows[0] };
}

/** What comes of a DELETE: how many orphans were seen after each statement, and how many rows are left in all. */
async function deleted(of: World, rows: readonly string[], text: string) {
  const { client, sql, result } = await begun(of, rows, text);
  const { rowCount } = await client.query(sql);
  return { rowCount, ...(await result()) };
}

const TREE = world('tree', 'a.parent > a cascade', 'b.a_id > a cascade');
const CHAIN = 'INSERT INTO tree_a (id, parent) VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 4)';

test("a row between two of the client's own goes after the lower one", async () => {
  const rows = [CHAIN, 'INSERT INTO tree_b (id, a_id) VALUES (1, 1), (2, 2), (3, 5)'];
  expect(await deleted(TREE, rows, 'DELETE FROM tree_a WHERE id IN (1, 3)')).toEqual({
    rowCount: 2,
    orphans: 0,
    left: 0,
  });
});

const CYCLE = world('cycle', 'a.b_id > b cascade', 'b.a_id > a cascade');

test('rows of two tables that reference each other go by turns', async () => {
  const rows = [
    'INSERT INTO cycle_a (id, b_id) VALUES (1, NULL), (2, 1), (3, 2)',
    'INSERT INTO cycle_b (id, a_id) VALUES (1, 1), (2, 2), (3, 3)',
  ];
  expect(await deleted(CYCLE, rows, 'DELETE FROM cycle_a WHERE id = 1')).toEqual({
    rowCount: 1,
    orphans: 0,
    left: 0,
  });
});

test.each([
  1, 2, 3, 4,
])('rows that reference each other in a circle are found again when all was cut short at statement %i', async (last) => {
  const rows = [
    'INSERT INTO cycle_a (id, b_id) VALUES (1, 2), (2, 1), (3, 2)',
    'INSERT INTO cycle_b (id, a_id) VALUES (1, 1), (2, 2), (3, 3)',
    'CREATE SEQUENCE statements',
    `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF nextval('statements') = ${last} THEN RAISE 'enough'; END IF; RETURN NULL; END $$`,
    ...CYCLE.tables.map(
      (table) => `CREATE TRIGGER stop AFTER DELETE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION stop()`,
    ),
  ];
  const { client, sql, result } = await begun(CYCLE, rows, 'DELETE FROM cycle_a WHERE id = 1');
  await expect(client.query(sql)).rejects.toThrow('enough');
  await client.query(sql);
  expect(await result()).toMatchObject({ left: 0 });
});
