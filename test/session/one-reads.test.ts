/** A catalog that many sessions want is read by one of them, and the others wait for it: never for ever. */
import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { untilBlocked } from '../support/server-sessions.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);
  CREATE VIEW shown AS TABLE parent;
  INSERT INTO parent SELECT generate_series(1, 40); INSERT INTO child SELECT i, i FROM generate_series(1, 40) i`);
const tap = useTap();
const catalogs = () => tap.count('confdeltype');

let direct: pg.Client;
beforeAll(async () => {
  direct = await database.connect();
});

let proxy: RunningProxy;
let clients: readonly pg.Client[];
beforeEach(async () => {
  proxy = await startProxy({ upstream: tap.url, graph: { refresh: '1h' } });
  onTestFinished(() => proxy.stop());
  clients = await Promise.all(Array.from({ length: 20 }, () => proxy.connect(database.name)));
});

const remove = (client: pg.Client, id = -1) => client.query(`DELETE FROM parent WHERE id = ${id}`);
const children = async () => (await direct.query('SELECT count(*)::int AS n FROM child')).rows[0].n;

test('twenty sessions that come at once read it once, and again once when it has changed', async () => {
  const before = await children();
  tap.reset();
  await Promise.all(clients.map((client, i) => remove(client, i + 1)));
  expect([catalogs(), await children()]).toEqual([1, before - 20]);
  await direct.query('ALTER TABLE child ADD more int');
  await clients[0]?.query('CREATE TABLE none (); DROP TABLE none');
  tap.reset();
  await Promise.all(clients.map((client, i) => remove(client, i + 21)));
  expect([catalogs(), await children()]).toEqual([1, before - 40]);
  await direct.query(
    'INSERT INTO parent SELECT generate_series(1, 40); INSERT INTO child SELECT i, i FROM generate_series(1, 40) i',
  );
});

describe('where whoever reads it', () => {
  /** The view's definition cannot be read while another transaction has this lock. */
  const lock = async () => {
    const locking = await database.connect();
    onTestFinished(() => locking.end());
    await locking.query('BEGIN; LOCK shown');
    return locking;
  };

  test.each([
    ['is cancelled', 'pg_cancel_backend'],
    ['is gone', 'pg_terminate_backend'],
  ])('%s, the next one does', async (_, end) => {
    const locking = await lock();
    const before = await children();
    tap.reset();
    const answers = Promise.allSettled(clients.slice(0, 5).map((client, i) => remove(client, i + 1)));
    const [reader] = await untilBlocked(direct);
    await direct.query(`SELECT ${end}(pid) FROM pg_stat_activity WHERE pid = $1`, [reader]);
    await untilBlocked(direct);
    await locking.query('ROLLBACK');
    expect((await answers).map(({ status }) => status).sort()).toEqual([
      ...Array<string>(4).fill('fulfilled'),
      'rejected',
    ]);
    expect([catalogs(), await children()]).toEqual([2, before - 4]);
    await direct.query(`INSERT INTO parent SELECT generate_series(1, 5) ON CONFLICT DO NOTHING;
      INSERT INTO child SELECT i, i FROM generate_series(1, 5) i ON CONFLICT DO NOTHING`);
  });

  test('waits for a lock of one who waits for it, that one reads it itself', async () => {
    const [one, other] = clients;
    if (!one || !other) throw new Error('twenty were made');
    const before = await children();
    await one.query('BEGIN');
    await one.query('LOCK shown');
    const waits = remove(other, 1);
    await untilBlocked(direct);
    await remove(one, 2);
    await one.query('COMMIT');
    await waits;
    expect(await children()).toBe(before - 2);
  });
});
