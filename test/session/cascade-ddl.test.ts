/** Keys that come and go between two DELETEs: no session may act on a graph that is not there any more, or not yet. */
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const SCHEMA = `
  DROP TABLE IF EXISTS parent, child;
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int);
  INSERT INTO parent SELECT generate_series(1, 3);
  INSERT INTO child SELECT i, i FROM generate_series(1, 3) i;`;
const ADD_KEY = `ALTER TABLE child ADD CONSTRAINT child_fkey
  FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE NOT ENFORCED`;
const DROP_KEY = 'ALTER TABLE child DROP CONSTRAINT child_fkey';
const deleteParent = 'DELETE FROM parent WHERE id = $1';

const database = useDatabase();
// Only what the proxy sees itself may tell it that the schema changed: nothing is noticed by waiting.
const proxy = useProxy({ graph: { refresh: '1h' } });

beforeEach(async () => {
  // Through the proxy, which thereby knows that what it remembers of the last test is old.
  await tell(await connect(), SCHEMA);
});

const connect = () => RawClient.login(proxy, { database: database.name });

async function tell(client: RawClient, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await client.ask(query(text));
}

async function children(): Promise<string> {
  const client = await database.connect();
  const { rows } = await client.query(`SELECT string_agg(id::text, ' ' ORDER BY id) AS ids FROM child`);
  return rows[0].ids;
}

describe('61 a prepared DELETE', () => {
  test('cascades over a key that this session added', async () => {
    const client = await connect();
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    await tell(client, ADD_KEY);
    expect(await client.told(runPrepared('d', ['2']), sync)).toEqual(['2', 'n', 'C DELETE 1', 'Z I']);
    expect(await children()).toBe('1 3');
  });

  test('cascades over a key that another session added', async () => {
    const [client, other] = [await connect(), await connect()];
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    await tell(other, ADD_KEY);
    expect(await client.told(runPrepared('d', ['2']), sync)).toEqual(['2', 'n', 'C DELETE 1', 'Z I']);
    expect(await children()).toBe('1 3');
  });

  test('cascades no more over a key that is gone', async () => {
    const client = await connect();
    await tell(client, ADD_KEY);
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    await tell(client, DROP_KEY);
    expect(await client.told(runPrepared('d', ['2']), sync)).toEqual(['2', 'n', 'C DELETE 1', 'Z I']);
    expect(await children()).toBe('2 3');
  });

  test('cascades over a key of its own transaction, and not when that is rolled back', async () => {
    const client = await connect();
    await client.ask(parse(deleteParent, 'd'), sync);
    await tell(client, 'BEGIN', ADD_KEY);
    await client.ask(runPrepared('d', ['1']), sync);
    expect(await client.told(query('SELECT count(*) FROM child'))).toContain('D 2');
    await tell(client, 'ROLLBACK');
    await client.ask(runPrepared('d', ['2']), sync);
    expect(await children()).toBe('1 2 3');
  });

  test('can be executed again after its table was away for a transaction', async () => {
    const client = await connect();
    await tell(client, ADD_KEY);
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    await tell(client, 'BEGIN', 'DROP TABLE parent CASCADE');
    expect((await client.told(runPrepared('d', ['2']), sync)).at(0)).toContain('C=42P01');
    await tell(client, 'ROLLBACK');
    expect(await client.told(runPrepared('d', ['2']), sync)).toEqual(['2', 'n', 'C DELETE 1', 'Z I']);
    expect(await children()).toBe('3');
  });

  test('cascades when its table was dropped and made again', async () => {
    const client = await connect();
    await tell(client, ADD_KEY);
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    await tell(client, SCHEMA, ADD_KEY);
    await client.ask(runPrepared('d', ['2']), sync);
    expect(await children()).toBe('1 3');
  });

  test('cascades to a child that was renamed, and whose column was', async () => {
    const client = await connect();
    await tell(client, ADD_KEY);
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    await tell(client, 'ALTER TABLE child RENAME parent_id TO owner', 'ALTER TABLE child RENAME TO infant');
    await client.ask(runPrepared('d', ['2']), sync);
    await tell(client, 'ALTER TABLE infant RENAME TO child');
    expect(await children()).toBe('3');
  });
});

describe('61 a key', () => {
  test('added in the extended protocol is seen by the next DELETE', async () => {
    const client = await connect();
    await tell(client, 'DELETE FROM parent WHERE id = 1');
    await client.ask(run(ADD_KEY), sync);
    await tell(client, 'DELETE FROM parent WHERE id = 2');
    expect(await children()).toBe('1 3');
  });

  test('added in the extended protocol is seen by other sessions', async () => {
    const [client, other] = [await connect(), await connect()];
    await tell(other, 'DELETE FROM parent WHERE id = 1');
    await client.ask(run(ADD_KEY), sync);
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    expect(await children()).toBe('1 3');
  });

  test('is seen by others from its answer on, also where its session has sent more', async () => {
    const [client, other, holder] = [await connect(), await connect(), await connect()];
    await tell(other, 'DELETE FROM parent WHERE id = 1');
    await tell(holder, 'SELECT pg_advisory_lock(1)');
    client.send(query(ADD_KEY), query('SELECT pg_advisory_lock_shared(1)'));
    await client.untilReady();
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    await tell(holder, 'SELECT pg_advisory_unlock(1)');
    await client.untilReady();
    expect(await children()).toBe('1 3');
  });

  test('is seen by others from COMMIT on, also where the next transaction has begun with it', async () => {
    const [client, other] = [await connect(), await connect()];
    await tell(other, 'DELETE FROM parent WHERE id = 1');
    await tell(client, 'BEGIN', ADD_KEY, 'COMMIT AND CHAIN');
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    await tell(client, 'COMMIT');
    expect(await children()).toBe('1 3');
  });

  test('added in the pipeline of the DELETE is seen by it', async () => {
    const client = await connect();
    await tell(client, 'DELETE FROM parent WHERE id = 1');
    await client.ask(run(ADD_KEY), run(deleteParent, ['2']), sync);
    expect(await children()).toBe('1 3');
  });

  test('of an open transaction is not taken for one that all sessions have', async () => {
    const [client, other] = [await connect(), await connect()];
    await tell(client, 'BEGIN', ADD_KEY, 'DELETE FROM parent WHERE id = 1', 'ROLLBACK');
    await tell(other, 'DELETE FROM parent WHERE id = 2');
    expect(await children()).toBe('1 2 3');
  });

  test('dropped in a transaction that was begun in one write is there again after ROLLBACK', async () => {
    const client = await connect();
    await tell(client, ADD_KEY);
    client.send(query('SELECT 1'), query('BEGIN'), query(DROP_KEY));
    await client.untilReady(3);
    await tell(client, 'DELETE FROM parent WHERE id = 1', 'ROLLBACK');
    await tell(client, 'DELETE FROM parent WHERE id = 2');
    expect(await children()).toBe('1 3');
  });

  test('is not forgotten for a session whose snapshot is older than the key', async () => {
    const [client, old] = [await connect(), await connect()];
    await tell(old, 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1');
    await tell(client, ADD_KEY);
    await tell(old, 'DELETE FROM parent WHERE id = 99', 'COMMIT');
    await tell(client, 'DELETE FROM parent WHERE id = 2');
    expect(await children()).toBe('1 3');
  });

  test('of a prepared transaction is seen from its COMMIT PREPARED on', async () => {
    const client = await connect();
    await tell(client, 'BEGIN', ADD_KEY, `PREPARE TRANSACTION 'key'`, `COMMIT PREPARED 'key'`);
    await tell(client, 'DELETE FROM parent WHERE id = 2');
    expect(await children()).toBe('1 3');
  });

  test('added since PREPARE in SQL is followed by EXECUTE', async () => {
    const client = await connect();
    await tell(client, 'PREPARE d (int) AS DELETE FROM parent WHERE id = $1', ADD_KEY);
    expect(await client.told(query('EXECUTE d (2)'))).toEqual(['C DELETE 1', 'Z I']);
    expect(await children()).toBe('1 3');
  });

  test('dropped since PREPARE in SQL is not', async () => {
    const client = await connect();
    await tell(client, ADD_KEY, 'PREPARE d (int) AS DELETE FROM parent WHERE id = $1', DROP_KEY);
    expect(await client.told(query('EXECUTE d (2)'))).toEqual(['C DELETE 1', 'Z I']);
    expect(await children()).toBe('1 2 3');
  });
});

describe('a DELETE that is sent together with what ends its transaction', () => {
  test('cascades after the ROLLBACK of a failed one', async () => {
    const client = await connect();
    await tell(client, ADD_KEY, 'BEGIN', 'SELECT 1/0');
    client.send(query('ROLLBACK'), query('DELETE FROM parent WHERE id = 2'));
    await client.untilReady(2);
    expect(await children()).toBe('1 3');
  });

  test('after the error of one is refused by the server', async () => {
    const client = await connect();
    await tell(client, ADD_KEY);
    client.send(query('BEGIN'), query('SELECT 1/0'), query('DELETE FROM parent WHERE id = 2'));
    await client.untilReady(2);
    const [error, ready] = (await client.told()).slice(0);
    expect([error?.includes('C=25P02'), ready]).toEqual([true, 'Z E']);
  });
});

describe('61 graph.refresh', () => {
  const watchful = useProxy({ graph: { refresh: '0s' } });

  test('is how long a key that was added past the proxy may go unseen', async () => {
    const client = await RawClient.login(watchful, { database: database.name });
    await client.ask(parse(deleteParent, 'd'), runPrepared('d', ['1']), sync);
    const direct = await database.connect();
    await direct.query(ADD_KEY);
    await client.ask(runPrepared('d', ['2']), sync);
    expect(await children()).toBe('1 3');
  });
});
