/**
 * What pgcascade promises on a database to which no cascade is sent, as where `cascade.strategy` is single and it takes no expanded statement: it is recognised; what concerns no key is answered as without
 * pgcascade; a DELETE that would have to cascade is refused by name, and deletes nothing; and the client hears of no text that it has
 * not sent.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Loopback } from '../support/loopback.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';

export interface Engine extends Loopback {
  /** Where it is not the one of the login. */
  readonly database?: string;
}

interface Relation {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly on_delete: 'cascade';
}

export interface Promised {
  readonly start: () => Promise<Engine>;
  readonly login?: pg.ClientConfig;
  /** Relations of the schema: orders is referenced, users is not. */
  readonly relations: readonly Relation[];
  readonly profile?: ProxyOptions['profile'];
  /** How the server is called in the refusal, and in the log. */
  readonly called: string;
  /** Why: part of the refusal. */
  readonly reason: string;
  /** Statements of the family's own that pass, beside those that pass everywhere. */
  readonly passes?: readonly string[];
  /**
   * After an error in the extended protocol it sends further ones, and some of them without an end, for which pg's client looks
   * for ever: what fails is then asked in a simple query alone.
   */
  readonly errorsWithoutEnd?: boolean;
  /** How a transaction begins: a DELETE in it is refused too. */
  readonly begin?: string;
}

const PASSES = [
  'SELECT id FROM orders ORDER BY id',
  'DELETE FROM users WHERE id = 99',
  'DELETE FROM items WHERE id = 99',
  'DELETE FROM nowhere WHERE id = 1',
  'DELETE FROM users WHERE no_such_column = 1',
];
/** One after the other they leave everything as it was. */
const WRITES = [
  'INSERT INTO users VALUES (3)',
  'UPDATE users SET id = 4 WHERE id = 3',
  'DELETE FROM users WHERE id = 4',
];
const REFUSED = [
  'DELETE FROM orders WHERE id = 1',
  'DELETE FROM orders',
  'DELETE FROM Orders WHERE id IN (SELECT order_id FROM items)',
];

export function describePromises(name: string, promised: Promised): void {
  describe(name, () => {
    let engine: Engine;
    let proxy: RunningProxy;
    beforeAll(async () => {
      engine = await promised.start();
      const { profile = 'auto', relations } = promised;
      const upstream = `postgres://${engine.host}:${engine.port}`;
      proxy = await startProxy({
        upstream,
        profile,
        cascade: { relations: [...relations], strategy: 'single' },
      });
    });
    afterAll(async () => {
      await proxy?.stop();
      await engine?.close();
    });
    const connect = async ({ host, port }: { readonly host: string; readonly port: number }) => {
      const { database = 'shop' } = engine;
      const client = new pg.Client({ user: 'postgres', database, ...promised.login, host, port });
      client.on('error', () => {});
      await client.connect();
      onTestFinished(() => client.end());
      return client;
    };

    test.each([...PASSES, ...(promised.passes ?? [])])('%s is answered as without pgcascade', async (sql) => {
      const [direct, through] = [await connect(engine), await connect(proxy)];
      const native = await answer(direct, sql);
      expect(await answer(through, sql)).toEqual(native);
      if ('code' in native && promised.errorsWithoutEnd) return;
      expect(await answer(through, sql, [])).toEqual(await answer(direct, sql, []));
    });

    test('writes of a table without keys are answered as without pgcascade', async () => {
      const [direct, through] = [await connect(engine), await connect(proxy)];
      for (const values of [undefined, []]) {
        const native = await answers(direct, WRITES, values);
        expect(await answers(through, WRITES, values)).toEqual(native);
      }
    });

    test.each(REFUSED)('%s is refused by name, and nothing is deleted', async (sql) => {
      const [direct, through] = [await connect(engine), await connect(proxy)];
      const rows = () => answer(direct, 'SELECT count(*) AS n FROM orders');
      const before = await rows();
      for (const values of [undefined, []]) expectRefusal(await answer(through, sql, values), promised);
      expect(await rows()).toEqual(before);
      expect(proxy.log).toEqual([expect.stringContaining(promised.called)]);
    });

    test('one with a parameter is refused as well, and one that concerns no key is not', async () => {
      const through = await connect(proxy);
      expectRefusal(await answer(through, 'DELETE FROM orders WHERE id = $1', ['1']), promised);
      const passed = await answer(through, 'DELETE FROM users WHERE id = $1', ['99']);
      expect(passed).toMatchObject({ command: 'DELETE', rowCount: 0 });
    });

    test('in a transaction too, which the client can end', async () => {
      const [direct, through] = [await connect(engine), await connect(proxy)];
      const before = await answer(direct, 'SELECT count(*) AS n FROM orders');
      await through.query(promised.begin ?? 'BEGIN');
      expectRefusal(await answer(through, 'DELETE FROM orders WHERE id = 1'), promised);
      await through.query('ROLLBACK');
      expect(await answer(direct, 'SELECT count(*) AS n FROM orders')).toEqual(before);
      expect(await answer(through, 'SELECT count(*) AS n FROM orders')).toEqual(before);
    });
  });
}

/** What a client gets: of an error all that it is told. */
async function answer(client: pg.Client, text: string, values?: readonly string[]): Promise<object> {
  // With `values` it is sent in the extended protocol.
  const asked = values === undefined ? { text } : { text, values: [...values], queryMode: 'extended' };
  try {
    const { command, rowCount, rows } = await client.query(asked);
    return { command, rowCount, rows };
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const { code, detail, hint, message, position } = error;
    return { code, detail, hint, message, position };
  }
}

async function answers(
  client: pg.Client,
  texts: readonly string[],
  values: readonly string[] | undefined,
): Promise<readonly object[]> {
  const told: object[] = [];
  for (const text of texts) told.push(await answer(client, text, values));
  return told;
}

function expectRefusal(told: object, { called, reason }: Promised): void {
  expect(told).toMatchObject({
    code: '0A000',
    detail: 'pgcascade reports PGC_SERVER.',
    message: expect.stringMatching(/^cannot cascade a DELETE from .*: the server is /),
  });
  expect(told).toMatchObject({ message: expect.stringContaining(called) });
  expect(told).toMatchObject({ message: expect.stringContaining(reason) });
}
