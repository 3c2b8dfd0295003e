/** A cascade in batches, while others write through a proxy with `cascade.guard: check`: no row ever references one that is gone. */
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { Random } from '../chaos/random.js';
import { useDatabase } from '../support/database.js';
import { type RunningProxy, useProxy } from '../support/proxy.js';

const SEED = Number(process.env.BATCHES_SEED ?? 1);
const CASCADES = Number(process.env.BATCHES_CASCADES ?? 4);

const KEYS = ['b.a', 'c.b', 'c.a', 'n.b', 't.up', 't.b'] as const;
const database = useDatabase(`
  CREATE TABLE a (id int PRIMARY KEY, v int);
  CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE NOT ENFORCED, a int REFERENCES a ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE n (id int PRIMARY KEY, b int REFERENCES b ON DELETE SET NULL NOT ENFORCED);
  CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE NOT ENFORCED, b int REFERENCES b ON DELETE CASCADE NOT ENFORCED);
  CREATE INDEX ON b (a); CREATE INDEX ON c (b); CREATE INDEX ON c (a); CREATE INDEX ON n (b); CREATE INDEX ON t (up); CREATE INDEX ON t (b);
  CREATE SEQUENCE s START 1000`);
const ROWS = `TRUNCATE a, b, c, n, t; INSERT INTO a SELECT g, g FROM generate_series(1, 4) AS g;
  INSERT INTO b SELECT g, 1 + g % 4 FROM generate_series(1, 24) AS g; INSERT INTO n SELECT g, g FROM generate_series(1, 24) AS g;
  INSERT INTO c SELECT g, 1 + g % 24, 1 + g % 4 FROM generate_series(1, 48) AS g;
  INSERT INTO t SELECT g, CASE WHEN g > 6 THEN g - 6 END, 1 + g % 24 FROM generate_series(1, 48) AS g`;
/** The keys by which a row references one that is gone; one statement, which sees one moment. */
const ORPHANED = KEYS.map((key) => {
  const [table, column] = key.split('.');
  const to = column === 'up' ? 't' : column;
  return `SELECT '${key}' AS key FROM ${table} AS r WHERE ${column} IS NOT NULL AND NOT EXISTS (SELECT FROM ${to} AS p WHERE p.id = r.${column})`;
}).join(' UNION ALL ');

const CASCADING = [
  'DELETE FROM a WHERE id < 3',
  'DELETE FROM a',
  'DELETE FROM b WHERE id % 2 = 0',
  'DELETE FROM t WHERE id < 4',
];

/** A statement of somebody else's. None makes a circle of rows: these go in one batch, or not at all. */
function written(random: Random): string {
  const one = (most: number) => 1 + random.below(most);
  return random.pick([
    `INSERT INTO b VALUES (nextval('s'), ${one(4)})`,
    `INSERT INTO c VALUES (nextval('s'), ${one(24)}, ${one(4)})`,
    "INSERT INTO c SELECT nextval('s'), id, a FROM b LIMIT 2",
    `INSERT INTO n VALUES (nextval('s'), ${one(24)})`,
    "INSERT INTO t SELECT nextval('s'), id, b FROM t ORDER BY id DESC LIMIT 2",
    `INSERT INTO t VALUES (nextval('s'), ${one(48)}, ${one(24)})`,
    `UPDATE b SET a = ${one(4)} WHERE id = ${one(24)}`,
    `UPDATE c SET b = ${one(24)} WHERE id = ${one(48)}`,
    `UPDATE t SET up = ${one(24)} WHERE id = ${24 + one(24)}`,
    `UPDATE n SET b = ${one(24)} WHERE b IS NULL`,
    `DELETE FROM c WHERE id = ${one(48)}`,
    `DELETE FROM b WHERE id = ${one(24)}`,
    `UPDATE a SET v = v + 1 WHERE id = ${one(4)}`,
  ]);
}

/** @returns the answer of the cascade, and the keys by which rows were seen to reference what is gone while it was carried out */
async function carryOut(sql: string, proxy: RunningProxy, random: Random) {
  const clients = await Promise.all(Array.from({ length: 3 }, () => proxy.connect(database.name)));
  const [deleter, ...writers] = clients as [pg.Client, ...pg.Client[]];
  const looker = await database.connect();
  await looker.query(ROWS);
  let isOver = false;
  const orphaned = new Set<string>();
  const writes = async (client: pg.Client) => {
    // What natively would be refused, or end in a deadlock, may be so here.
    while (!isOver)
      await client.query(written(random)).catch(({ code }) => expect(code).toMatch(/^(23503|40P01|40001)$/));
  };
  const looks = async () => {
    for (let isLast = false; !isLast; ) {
      isLast = isOver;
      for (const { key } of (await looker.query(ORPHANED)).rows) orphaned.add(key);
    }
  };
  const others = [...writers.map(writes), looks()];
  const said = await deleter.query(sql).then(
    ({ command }) => command,
    ({ message }) => message,
  );
  isOver = true;
  await Promise.all(others);
  // The others have ended: what they wrote goes with the same statement again.
  await deleter.query(sql);
  for (const { key } of (await looker.query(ORPHANED)).rows) orphaned.add(key);
  const { rows } = await looker.query(sql.replace('DELETE', 'SELECT count(*)::int AS left'));
  await Promise.all([looker, ...clients].map((client) => client.end()));
  return { said, orphaned: [...orphaned], left: rows[0].left };
}

describe.each(['none', 'rows'] as const)('cascade.locks: %s', (locks) => {
  const proxy = useProxy({ cascade: { batch_rows: 3, guard: 'check', locks } });

  test.each(Array.from({ length: CASCADES }, (_, i) => i))('cascade %i', async (i) => {
    const random = new Random(SEED * 1_000_003 + i);
    const outcome = await carryOut(CASCADING[i % CASCADING.length] as string, proxy, random);
    expect(outcome).toEqual({ said: 'DELETE', orphaned: [], left: 0 });
  });
});
