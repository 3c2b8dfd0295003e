/** What is executed once more, as another transaction got in its way, is the statement that the client meant, or an error. */
import type pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Kind, type Side, useSides } from '../edge-cases/sides.js';
import {
  bind,
  closeStatement,
  describePortal,
  execute,
  message,
  parse,
  query,
  sync,
} from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

vi.setConfig({ testTimeout: 20_000 });
const { on, sameOn } = useSides();

/** Where the server enforces the keys, too, it refuses a DELETE to which a child was added: it is made again. */
const GUARDED: readonly Kind[] = ['native', 'overridden'];
const SCHEMA = `
  SET search_path = s;
  CREATE TABLE s.p (id int PRIMARY KEY, a text);
  CREATE TABLE s.c (id int PRIMARY KEY, p_id int CONSTRAINT c_cascade REFERENCES s.p ON DELETE CASCADE KEYS);
  INSERT INTO s.p SELECT i, i FROM generate_series(1, 5) i;
  INSERT INTO s.c SELECT i, i FROM generate_series(1, 5) i;`;

/** Sends, has another transaction add a child of the row meanwhile, and reads what comes. */
async function overtaken(
  { client, direct }: Side,
  messages: readonly Buffer[],
  meanwhile: (watcher: pg.Client) => Promise<void> = async () => {},
): Promise<readonly RawMessage[]> {
  const other = await direct();
  const pid = client.greeting.find(({ type }) => type === 'K')?.body.readInt32BE(0) ?? 0;
  await other.query('BEGIN; INSERT INTO s.c VALUES (99, 1)');
  const answers = client.ask(...messages);
  await untilSession(other, pid, WAITS_FOR_LOCK);
  await meanwhile(other);
  await other.query('COMMIT');
  return answers;
}

describe('a portal is executed again with the statement to which it was bound', () => {
  test.each([
    ['a named statement', 's'],
    ['the unnamed statement', ''],
  ])('%s, whose name another one has by then', (_, name) =>
    sameOn(GUARDED, SCHEMA, async (side) => {
      const { client } = side;
      const answers = [...(await client.ask(query('BEGIN')))];
      const another = [closeStatement(name), parse('DELETE FROM s.p WHERE id = 2', name)];
      const deletion = parse('DELETE FROM s.p WHERE id = $1 RETURNING a', name, [23]);
      answers.push(
        ...(await client.ask(
          deletion,
          bind({ statement: name, portal: 'o', values: ['1'] }),
          describePortal('o'),
          ...another,
          sync,
        )),
      );
      answers.push(...(await overtaken(side, [execute('o'), sync])));
      if (name !== '') answers.push(...(await client.ask(bind({ statement: name }), execute(), sync)));
      answers.push(...(await client.ask(query('COMMIT'))));
      return answers;
    }));
});

describe('where the table is changed between two attempts', () => {
  const ALTER = 'ALTER TABLE s.p ADD COLUMN d int DEFAULT 7';
  const changed = async (messages: readonly Buffer[]) => {
    const side = await on('overridden', SCHEMA);
    const third = await side.direct();
    const pid = await pidOf(third);
    let altered: Promise<unknown> | undefined;
    const answers = await overtaken(side, messages, async (watcher) => {
      altered = third.query(ALTER);
      await untilSession(watcher, pid, WAITS_FOR_LOCK);
    });
    await altered;
    return { told: readable(answers), left: await side.client.told(query('SELECT count(*) FROM s.p')) };
  };

  test('nobody gets rows with other columns than were described', async () => {
    const deletion = parse('DELETE FROM s.p WHERE id = 1 RETURNING *');
    const { told, left } = await changed([deletion, bind(), describePortal(), execute(), sync]);
    expect(told.filter((each) => each.startsWith('D'))).toEqual([]);
    expect(told.join()).toContain('C=0A000 M=cached plan must not change result type');
    expect(left).toContain('D 5');
  });

  test('a simple query returns what it describes', async () => {
    const { told, left } = await changed([query('DELETE FROM s.p WHERE id = 1 RETURNING *')]);
    expect(told).toEqual([expect.stringMatching(/^T id\S* a\S* d/), 'D 1|1|7', 'C DELETE 1', 'Z I']);
    expect(left).toContain('D 4');
  });
});

describe('a text that turns out to be one to pass on is passed on as it came', () => {
  const VIEW = `
    CREATE TABLE s.gone (a text);
    CREATE SCHEMA a; CREATE VIEW a.p AS SELECT * FROM s.p LIMIT 100;
    CREATE FUNCTION a.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO s.gone VALUES (OLD.a); RETURN OLD; END';
    CREATE TRIGGER t INSTEAD OF DELETE ON a.p FOR EACH ROW EXECUTE FUNCTION a.note();
    CREATE FUNCTION s.elsewhere() RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', 'a', false) $$;
    INSERT INTO s.p VALUES (7, 'é');`;
  test.each(['UTF8', 'LATIN1'])('in %s', async (encoding) => {
    const { database } = await on('emulated', `${SCHEMA} ${VIEW}`);
    const forwarding = await startProxy({ cascade: { unsupported: 'pass' } });
    onTestFinished(() => forwarding.stop());
    const text = Buffer.from(`DELETE FROM p WHERE a = 'é'`, encoding === 'UTF8' ? 'utf8' : 'latin1');
    for (const messages of [
      [message('Q', text, Buffer.alloc(1))],
      [message('P', Buffer.alloc(1), text, Buffer.alloc(3)), bind(), execute(), sync],
    ]) {
      const client = await RawClient.login(forwarding, {
        database,
        parameters: { client_encoding: encoding },
      });
      await client.ask(query('TRUNCATE s.gone; SET search_path = s'));
      await client.ask(query('DELETE FROM p WHERE id = 0'));
      await client.ask(query('SELECT s.elsewhere()'));
      expect(await client.told(...messages)).toContain('C DELETE 1');
      expect(await client.told(query('SELECT ascii(a) FROM s.gone'))).toContain('D 233');
    }
  });
});

describe('a portal that is executed for the third time', () => {
  const RESTRICTED = `${SCHEMA}
    CREATE TABLE s.r (p_id int CONSTRAINT r_restrict REFERENCES s.p ON DELETE RESTRICT NOT ENFORCED);`;
  const overrides = [{ match: '*.*.c_cascade', on_delete: 'cascade' as const }];

  test('has the statement that its text means by now, and not the one of the second time', async () => {
    const { database, direct } = await on('overridden', RESTRICTED);
    const proxy = await startProxy({ cascade: { overrides }, graph: { refresh: '1h' } });
    onTestFinished(() => proxy.stop());
    const client = await RawClient.login(proxy, { database });
    const [watcher, gate, inserting] = [await direct(), await direct(), await direct()];
    const other = await proxy.connect(database);
    const [pid, gatePid] = [await pidOf(client), await pidOf(gate)];
    // As random() is volatile its rows are not locked first, so that another child can come in between again.
    await client.ask(parse('DELETE FROM s.p WHERE id = $1 AND random() < 2', 'd', [23]), sync);
    await client.ask(query('BEGIN'));
    await inserting.query('BEGIN; INSERT INTO s.c VALUES (98, 1)');
    const answers = client.told(bind({ statement: 'd', values: ['1'] }), execute(), sync);
    const rounds = [
      ['CREATE TABLE s.heir () INHERITS (s.p)', 'INSERT INTO s.c VALUES (99, 1); INSERT INTO s.r VALUES (1)'],
      ['DROP TABLE s.heir', ''],
    ] as const;
    for (const [ddl, inserts] of rounds) {
      await untilSession(watcher, pid, `wait_event = 'transactionid'`);
      // The proxy has to ask for the graph before the next attempt, and is held up with that: in its transaction the table is
      // free when the attempt has been rolled back.
      await other.query('CREATE TABLE s.one_more (); DROP TABLE s.one_more');
      const closed = gate.query('BEGIN; LOCK TABLE pg_catalog.pg_rewrite');
      await untilSession(watcher, gatePid, `state = 'idle in transaction' OR ${WAITS_FOR_LOCK}`);
      await inserting.query('COMMIT');
      await untilSession(watcher, pid, `wait_event = 'relation'`);
      await closed;
      await watcher.query(ddl);
      await inserting.query(`BEGIN; ${inserts}`);
      await gate.query('COMMIT');
    }
    const error = expect.stringMatching(/^E C=23001 .*n=r_restrict/);
    expect(await answers).toEqual(['2', error, 'Z E']);
  });
});
