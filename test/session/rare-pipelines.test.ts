/** Messages in orders that drivers seldom send: portals that wait, queries that do not. */
import { beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import {
  bind,
  closeStatement,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { askAll, RawClient, readable } from '../support/raw-client.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

vi.setConfig({ testTimeout: 20_000 });

describe('a DELETE whose rules may be broken', () => {
  const twin = useTwin();
  const { makeSchema } = asNativeOn(twin);

  /** A row of `z` references one of `b`, and both are deleted: whether in time only their order tells. */
  const IN_TIME = `CREATE TABLE p (id int PRIMARY KEY);
    CREATE TABLE a (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
    CREATE TABLE b (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS, a int REFERENCES a ON DELETE CASCADE KEYS);
    CREATE TABLE z (id int REFERENCES b ON DELETE CASCADE KEYS, p int REFERENCES p ON DELETE CASCADE KEYS, b int REFERENCES b KEYS);
    INSERT INTO p VALUES (1), (2), (3); INSERT INTO a SELECT id, id FROM p; INSERT INTO b SELECT id, id, id FROM p;
    INSERT INTO z SELECT id, id, id FROM p;`;
  const one = bind({ portal: 'a', values: ['1'] });
  const two = bind({ portal: 'b', values: ['2'] });
  const other = [parse('SELECT 7', 's'), bind({ statement: 's', portal: 'x' })];
  const deletes = parse('DELETE FROM p WHERE id = $1');
  const returns = parse('DELETE FROM p WHERE id <= $1 RETURNING id, id + 1');
  test.each([
    ['in two portals', [deletes, one, two, execute('a'), execute('b')]],
    ['in a portal beside another one', [...other, deletes, one, execute('a'), execute('x')]],
    ['after another execution', [deletes, one, ...other, execute('x'), execute('a')]],
    ['after a BEGIN', [deletes, one, parse('BEGIN', 's'), bind({ statement: 's' }), execute(), execute('a')]],
    ['of a statement that is another one by then', [deletes, one, run('SELECT 8'), execute('a')]],
    ['of a statement that is closed by then', [deletes, one, closeStatement(''), execute('a')]],
    [
      'before the same name is bound again',
      [deletes, one, parse('SELECT 8'), execute('a'), bind(), execute()],
    ],
    [
      'with rows in binary, fetched in portions',
      [
        ...[returns, bind({ portal: 'a', values: ['2'], binary: true }), ...other, execute('x')],
        ...[describePortal('a'), execute('a', 1), execute('a', 9), describeStatement()],
      ],
    ],
  ])('is executed %s', (_, messages) =>
    twin.expectAsNative(async (client) => {
      await makeSchema(client, IN_TIME);
      const answers = await client.ask(...messages, sync);
      return [...answers, ...(await askAll(client, ['TABLE p', 'TABLE z', 'ROLLBACK']))];
    }));

  test('leaves a prepared statement alone, whatever its name', () =>
    twin.expectAsNative(async (client) => [
      ...(await client.ask(parse('SELECT 7', 'pgcascade'), sync)),
      ...(await client.ask(run('DELETE FROM orgs WHERE id = 1'), sync)),
      ...(await client.ask(bind({ statement: 'pgcascade' }), execute(), sync)),
    ]));

  const named = (name: string, text: string) => [
    parse(text, name),
    bind({ statement: name, portal: name }),
    execute(name),
  ];
  test.each([
    [
      'another statement',
      [deletes, one, ...named('s', 'SET work_mem = 64'), ...named('f', 'SELECT 1/0'), parse('SELECT 8')],
    ],
    [
      'no statement',
      [deletes, one, ...named('s', 'SET work_mem = 64'), ...named('f', 'SELECT 1/0'), closeStatement('')],
    ],
  ])('waits for nothing where %s comes after an error', (_, messages) =>
    twin.expectAsNative(async (client) => {
      await makeSchema(client, IN_TIME);
      return [...(await client.ask(...messages, sync)), ...(await askAll(client, ['TABLE p']))];
    }));

  test('leaves no statement behind where its own was closed before', () =>
    twin.expectAsNative(async (client) => {
      await makeSchema(client, IN_TIME);
      const first = parse('DELETE FROM p WHERE id = (SELECT min(id) FROM p)');
      const portals = [bind({ portal: 'a' }), bind({ portal: 'b' })];
      const answers = await client.ask(
        ...[first, ...portals, closeStatement(''), execute('a'), execute('b'), bind(), execute(), sync],
      );
      return [...answers, ...(await askAll(client, ['TABLE p']))];
    }));

  test.each([
    ['a Sync', sync],
    ['a query', query('SELECT 8')],
  ])('is not executed where its portal went with %s before', (_, end) =>
    twin.expectAsNative(async (client) => {
      await makeSchema(client, IN_TIME);
      client.send(deletes, one, end, execute('a'), sync);
      return [...(await client.untilReady(2)), ...(await askAll(client, ['TABLE p']))];
    }));

  test('has the error of its rule where it waits after another portal', () =>
    twin.expectAsNative((client) =>
      client.ask(
        parse('DELETE FROM orgs WHERE id = $1'),
        bind({ portal: 'a', values: ['1'] }),
        bind({ portal: 'b', values: ['4'] }),
        execute('a'),
        execute('b'),
        sync,
      ),
    ));
});

describe('a name that has come to mean a table without keys', () => {
  const twin = useTwin({ graph: { refresh: '1h' } });

  test('is deleted from there', async () => {
    const client = await twin.connect();
    await client.told(
      query('CREATE TABLE meant (id int PRIMARY KEY, org_id int REFERENCES orgs NOT ENFORCED)'),
    );
    await client.told(query('CREATE TABLE plain (id int PRIMARY KEY)'));
    await client.ask(query('CREATE TABLE below (id int REFERENCES meant NOT ENFORCED)'));
    await client.told(run('DELETE FROM meant'), sync);
    const others = await twin.connectDirect();
    await others.ask(query('ALTER TABLE meant RENAME TO was; ALTER TABLE plain RENAME TO meant'));
    await others.ask(query('INSERT INTO meant VALUES (1), (2)'));
    expect(await client.told(run('DELETE FROM meant'), sync)).toContain('C DELETE 2');
    await others.ask(query('DROP TABLE meant, was, below'));
  });
});

describe('a DELETE after a Parse that no Sync has ended', () => {
  const twin = useTwin();

  test('finds a table that others have made since', async () => {
    const client = await twin.connect();
    const others = await twin.connectDirect();
    // The Parse has the catalog read, in a transaction that goes on seeing what it saw first.
    await client.ask(query('SET default_transaction_isolation = "repeatable read"'));
    client.send(parse('DELETE FROM alone', 's'), flush);
    await client.until('1');
    await others.ask(query('CREATE TABLE later (org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED)'));
    await others.ask(query('INSERT INTO later VALUES (1), (2)'));
    await client.ask(query('DELETE FROM orgs WHERE id = 1'));
    expect(await others.told(query('TABLE later'))).toContain('C SELECT 1');
    await others.ask(query('DROP TABLE later'));
  });
});

describe('over an enforced key that an override makes cascade', () => {
  const schema = (action: string) => `
    CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int CONSTRAINT cp REFERENCES p ${action});
    CREATE TABLE kept (id int);
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
    CREATE TRIGGER fail BEFORE DELETE ON p FOR EACH ROW WHEN (OLD.id = 4) EXECUTE FUNCTION fail()`;
  const native = useDatabase(schema('ON DELETE CASCADE'));
  const guarded = useDatabase(schema(''));
  const proxy = useProxy({ cascade: { overrides: [{ match: 'public.*.*', on_delete: 'cascade' }] } });
  beforeEach(async () => {
    for (const database of [native, guarded]) {
      const client = await database.connect();
      await client.query(
        'TRUNCATE p, c, kept; INSERT INTO p VALUES (1), (2), (3), (4); INSERT INTO c TABLE p',
      );
      await client.end();
    }
  });

  /** The steps are answered as over a key that cascades. */
  async function expectAsNative(steps: (client: RawClient) => Promise<readonly string[]>) {
    const oracle = await RawClient.login(inject('postgres'), { database: native.name });
    const client = await RawClient.login(proxy, { database: guarded.name });
    const expected = await steps(oracle);
    expect(await steps(client)).toEqual(expected);
  }

  const DELETE = 'DELETE FROM p WHERE id = 1';
  test.each([
    ['a COMMIT', 'BEGIN', ['COMMIT', DELETE, 'SELECT 7']],
    ['an error', 'BEGIN', ['SELECT 1/0', DELETE, 'ROLLBACK', 'SELECT 7']],
    ['a BEGIN', 'SELECT 6', ['BEGIN', DELETE, 'ROLLBACK', 'SELECT 7']],
  ])('a DELETE that is sent after %s at once has one answer', (_, before, texts) =>
    expectAsNative(async (client) => {
      // From here on nothing has to be asked.
      await client.ask(query('DELETE FROM p WHERE id = 3'));
      await client.ask(query(before));
      client.send(...texts.map(query));
      return readable(await client.untilReady(texts.length));
    }));

  test('a savepoint is what the client says, whatever its name', () =>
    expectAsNative(async (client) => {
      const texts = [
        'BEGIN',
        'SAVEPOINT pgcascade',
        'INSERT INTO kept VALUES (1)',
        'DELETE FROM p WHERE id = 4',
      ];
      return readable(
        await askAll(client, [...texts, 'ROLLBACK TO pgcascade', 'TABLE kept', 'COMMIT']),
      ).filter((each) => !each.startsWith('T '));
    }));

  test('a portal that has a name is executed again', async () => {
    const client = await RawClient.login(proxy, { database: guarded.name });
    // A child that the statement cannot see makes the server refuse, each time.
    const insert = `CREATE FUNCTION add() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO c VALUES (OLD.id); RETURN OLD; END';
      CREATE TRIGGER add BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION add()`;
    await client.ask(query(`${insert}; DELETE FROM p WHERE false`));
    await client.ask(query('BEGIN'));
    const portal = [parse('DELETE FROM p WHERE id = 1'), bind({ portal: 'n' }), execute('n')];
    const answer = await client.told(...portal, sync);
    await client.ask(query('ROLLBACK; DROP FUNCTION add CASCADE'));
    expect(answer.join()).toContain('C=23503');
  });
});
