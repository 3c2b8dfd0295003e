/** The settings that the proxy needs for what it sends: the client's own hold for everything else, and stay what they were. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';
import { useTap } from '../support/tap.js';
import { useTwin } from './twin.js';

const twin = useTwin({ graph: { refresh: '0s' } });
const remove = (id: number) => query(`DELETE FROM orgs WHERE id = ${id}`);
const deletion = 'DELETE FROM orgs WHERE id = $1';

/** Sends each in a write of its own, and reads all that is answered. */
async function answers(client: RawClient, messages: readonly Buffer[]): Promise<void> {
  for (const each of messages) client.send(each);
  await client.untilReady(messages.filter((each) => each === sync || each[0] === 'Q'.charCodeAt(0)).length);
}

describe('JIT', () => {
  beforeAll(async () => {
    const client = await twin.emulated.connect();
    await client.query(`
      CREATE TABLE seen (at serial, jit text);
      CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO seen (jit) VALUES (current_setting('jit')); RETURN NULL; END $$;
      CREATE TRIGGER see AFTER DELETE ON orgs FOR EACH STATEMENT EXECUTE FUNCTION see();
      CREATE TRIGGER see AFTER DELETE ON alone FOR EACH STATEMENT EXECUTE FUNCTION see()`);
    // Tables whose keys are not enforced can be truncated together where none of them has a trigger, or all have.
    for (const table of ['users', 'posts', 'notes', 'invoices', 'badges'])
      await client.query(
        `CREATE TRIGGER see BEFORE TRUNCATE ON ${table} WHEN (false) EXECUTE FUNCTION see()`,
      );
  });
  afterAll(async () => {
    const client = await twin.emulated.connect();
    await client.query('DROP FUNCTION see CASCADE; DROP TABLE seen');
  });

  test.each<[string, readonly Buffer[], string]>([
    ['a simple query', [remove(1)], 'off'],
    [
      'a string',
      [query('SELECT 1; DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 2; DELETE FROM alone')],
      'off off on',
    ],
    [
      'a string of one DELETE many times',
      [query(Array.from({ length: 10 }, (_, id) => `DELETE FROM orgs WHERE id = ${id + 6}`).join('; '))],
      Array(10).fill('off').join(' '),
    ],
    [
      'a string that is sent in pieces',
      [query('SET search_path = public; DELETE FROM orgs WHERE id = 1; DELETE FROM alone')],
      'off on',
    ],
    ['EXECUTE', [query('PREPARE d AS DELETE FROM orgs WHERE id = 1'), query('EXECUTE d')], 'off'],
    ['COPY', [query('COPY (DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT')], 'off'],
    ['the extended protocol', [run(deletion, ['1']), sync], 'off'],
    [
      'a pipeline',
      [
        ...[run('DELETE FROM alone WHERE id = 1'), parse(deletion, 'd')],
        ...[runPrepared('d', ['1']), runPrepared('d', ['2']), run('DELETE FROM alone WHERE id = 2'), sync],
      ],
      'on off off on',
    ],
    [
      'EXECUTE in the extended protocol',
      [query('PREPARE d AS DELETE FROM orgs WHERE id = 1'), run('EXECUTE d'), sync],
      'off',
    ],
  ])('is off while a DELETE cascades in %s, and at no other time', async (_, messages, expected) => {
    for (const first of ['SELECT 1', 'BEGIN', 'BEGIN; SAVEPOINT s; SET LOCAL jit = on', 'SET jit = off']) {
      const client = await twin.connect();
      await client.ask(query(`TRUNCATE seen; ${first}`));
      await answers(client, messages);
      const setting = first === 'SET jit = off' ? 'off' : 'on';
      expect(await client.told(query('SHOW jit'))).toContain(`D ${setting}`);
      expect(await client.told(query(`SELECT string_agg(jit, ' ' ORDER BY at) FROM seen`))).toContain(
        `D ${setting === 'off' ? expected.replaceAll('on', 'off') : expected}`,
      );
      await client.ask(query('ROLLBACK'));
    }
  });
});

test('a DELETE that the end of its transaction refuses has no tag, in every protocol', async () => {
  for (const database of [twin.native, twin.emulated]) {
    const client = await database.connect();
    await client.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON orgs DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()`);
    onTestFinished(() => client.query('DROP TRIGGER refuse ON orgs; DROP FUNCTION refuse').then(() => {}));
  }
  await twin.expectAsNative(async (client) => [
    ...(await client.ask(remove(1))),
    ...(await client.ask(query('SELECT 1; DELETE FROM orgs WHERE id = 1'))),
    ...(await client.ask(
      query('DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 2 RETURNING id;'),
    )),
    ...(await client
      .ask(query('SELECT 1'), query('DELETE FROM orgs WHERE id = 1'))
      .then(async (first) => [...first, ...(await client.untilReady())])),
    ...(await client.ask(run(deletion, ['1']), sync)),
  ]);
});

describe('round trips', () => {
  const tap = useTap();

  test('a DELETE that cascades makes none but its own', async () => {
    const proxy = await startProxy({ upstream: tap.url, graph: { refresh: '1h' } });
    onTestFinished(() => proxy.stop());
    const client = await RawClient.login(proxy, { database: twin.emulated.name });
    await client.ask(remove(9));
    await client.ask(run(deletion, ['9']), sync);
    // Query, Sync and Flush are what the server is waited for with.
    const trips = () => ['Q\0\0', 'S\0\0\0\x04', 'H\0\0\0\x04'].map((head) => tap.count(head));
    const cost = async (...messages: readonly Buffer[]) => {
      tap.reset();
      await client.ask(...messages);
      return trips();
    };
    const many = Array<Buffer>(10).fill(runPrepared('d', ['9']));
    for (const first of ['SELECT 1', 'BEGIN']) {
      await client.ask(query(first));
      expect(await cost(remove(9))).toEqual([1, 0, 0]);
      expect(await cost(query('DELETE FROM orgs WHERE id = 9; DELETE FROM orgs WHERE id = 8'))).toEqual([
        1, 0, 0,
      ]);
      expect(await cost(run(deletion, ['9']), sync)).toEqual([0, 1, expect.any(Number)]);
      await client.ask(parse(deletion, 'd'), sync);
      tap.reset();
      await client.ask(...many, sync);
      expect(tap.count(`set_config('jit', 'off'`)).toBe(1);
      await client.ask(query('DEALLOCATE d'));
    }
  });
});

describe('any settings', () => {
  const names = ['jit', 'statement_timeout', 'lock_timeout', 'transaction_timeout', 'quote_all_identifiers'];
  const show = query(`SELECT ${names.map((name) => `current_setting('${name}')`).join(', ')}`);
  const setting = fc.constantFrom(
    ...['jit = on', 'jit = off', 'statement_timeout = 60001', "statement_timeout = '3min'"],
    ...['lock_timeout = 60002', 'transaction_timeout = 600003', 'quote_all_identifiers = on'],
  );
  const savepoint = fc.constantFrom('a', 'b');
  const deleting = fc.constantFrom<readonly Buffer[]>(
    [remove(9)],
    [query('DELETE FROM orgs WHERE id = 9; SELECT 1')],
    [query('DELETE FROM orgs WHERE id = 4')],
    [query('SET search_path = public; DELETE FROM orgs WHERE id = 9')],
    [run(deletion, ['9']), sync],
    [run(deletion, ['4']), sync],
    [run('SELECT 1'), run(deletion, ['9']), run(deletion, ['8']), run('SHOW jit'), sync],
    [run('BEGIN'), run(deletion, ['9']), sync],
    [run(deletion, ['9']), run('COMMIT'), run(deletion, ['8']), sync],
  );
  const step = fc.oneof(
    { weight: 4, arbitrary: deleting },
    { weight: 3, arbitrary: setting.map((each) => [query(`SET ${each}`)]) },
    { weight: 3, arbitrary: setting.map((each) => [query(`SET LOCAL ${each}`)]) },
    { weight: 1, arbitrary: fc.constantFrom(...names).map((name) => [query(`RESET ${name}`)]) },
    { weight: 2, arbitrary: fc.constantFrom('BEGIN', 'COMMIT', 'ROLLBACK').map((sql) => [query(sql)]) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom('SAVEPOINT', 'ROLLBACK TO', 'RELEASE'), savepoint)
        .map((words) => [query(words.join(' '))]),
    },
  );

  test('of a session, a transaction or a savepoint are what they are natively, after each step', async () => {
    const native = await RawClient.login(inject('postgres'), { database: twin.native.name });
    const proxied = await twin.connect();
    const converse = async (client: RawClient, steps: readonly (readonly Buffer[])[]) => {
      const told: string[] = [];
      for (const messages of steps) {
        told.push(...(await client.told(...messages)));
        // In a failed transaction nothing is shown.
        told.push(...(await client.told(show)));
      }
      for (const sql of ['COMMIT', 'RESET ALL'])
        await client.ask(query(sql), show).then(() => client.untilReady());
      return told;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const all = [[query('BEGIN')], ...steps];
        expect(await converse(proxied, all)).toEqual(await converse(native, all));
      }),
      { numRuns: 60, seed: 20261126, endOnFailure: true },
    );
  });
});
