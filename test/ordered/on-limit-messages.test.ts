/** A cascade that has reached a limit of the server's: what a client is answered, message by message, and what stops the batches. */
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, execute, flush, parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

/** After a commit of more rows than this comes the error: as late as it can. */
const LATE = `CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE changed int := coalesce(nullif(current_setting('late.rows', true), ''), '0')::int + 1;
  BEGIN
    IF changed > 50 THEN RAISE EXCEPTION 'too late' USING ERRCODE = '54000'; END IF;
    PERFORM set_config('late.rows', changed::text, true);
    RETURN NULL;
  END $$;
  CREATE CONSTRAINT TRIGGER late AFTER DELETE ON posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();`;
/** And with the statement. */
const AT_ONCE = LATE.replace('INITIALLY DEFERRED', 'INITIALLY IMMEDIATE');
const LEFT = 'SELECT (SELECT count(*) FROM posts)::int AS posts, (SELECT count(*) FROM users)::int AS users';
const DELETE = 'DELETE FROM größen WHERE id = 1';
const NOTICE = /^N .*C=00000.*M=cascade from "public"."größen" has reached a limit of the server's/;

const schema = (enforced: string, limit: string) => `
  CREATE TABLE größen (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES größen ON DELETE CASCADE ${enforced});
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${enforced});
  CREATE TABLE bills (org int REFERENCES größen ON DELETE RESTRICT ${enforced});
  ${limit}`;

describe.each([
  ['by one statement', 'NOT ENFORCED', 'single'],
  ['in order', 'NOT ENFORCED', 'ordered'],
  ['by the server', 'ENFORCED', 'auto'],
] as const)('%s', (_, enforced, strategy) => {
  const database = useDatabase(schema(enforced, AT_ONCE));
  const late = useDatabase(schema(enforced, LATE));
  const proxy = useProxy({ cascade: { strategy, on_limit: 'batch' }, graph: { refresh: '1h' } });
  let observer: pg.Client;
  const fill = (client: pg.Client) =>
    client.query(`SET session_replication_role = replica; DELETE FROM größen; DELETE FROM users; DELETE FROM posts; DELETE FROM bills;
      INSERT INTO größen VALUES (1), (2); INSERT INTO users SELECT i, 1 FROM generate_series(1, 4) AS i;
      INSERT INTO posts SELECT i, 1 + i % 4 FROM generate_series(1, 120) AS i; SET session_replication_role = origin`);
  beforeEach(async () => {
    observer = await database.connect();
    await fill(observer);
    return () => observer.end();
  });
  const login = (options: Readonly<Record<string, string>> = {}) =>
    RawClient.login(proxy, { database: database.name, ...options });
  const left = async () => (await observer.query(LEFT)).rows[0];
  /** Batches of the default size would reach the limit too: they are halved until they do not. */
  const unnoticed = (answers: readonly string[]) =>
    answers.filter((each) => !/^N .*cascade batch/.test(each));

  test('a query', async () => {
    const client = await login();
    const [notice, ...answers] = unnoticed(await client.told(query(DELETE)));
    expect(notice).toMatch(NOTICE);
    expect(answers).toEqual(['C DELETE 1', 'Z I']);
    expect(await left()).toEqual({ posts: 0, users: 0 });
  });

  test('Parse, Bind, Describe, Execute', async () => {
    const client = await login();
    const answers = unnoticed(await client.told(run('DELETE FROM größen WHERE id = $1', ['1']), sync));
    const notices = answers.filter((each) => NOTICE.test(each));
    expect(notices.length).toBe(1);
    expect(answers.filter((each) => !each.startsWith('N'))).toEqual(['1', '2', 'n', 'C DELETE 1', 'Z I']);
    expect(await left()).toEqual({ posts: 0, users: 0 });
    expect(await client.told(run('SELECT 1'), sync)).toContain('D 1');
  });

  test('executed without a Describe, and once more with other values', async () => {
    const client = await login();
    await client.ask(parse('DELETE FROM größen WHERE id = $1', 'd', [23]), sync);
    for (const [id, tag] of [
      ['1', 'DELETE 1'],
      ['1', 'DELETE 0'],
      ['2', 'DELETE 1'],
    ] as const) {
      const answers = await client.told(bind({ statement: 'd', values: [id] }), execute(), sync);
      expect(answers.slice(-2)).toEqual([`C ${tag}`, 'Z I']);
    }
    expect(await left()).toEqual({ posts: 0, users: 0 });
  });

  test('after another Execute without a Sync it fails, and what was before it is undone', async () => {
    const client = await login();
    await client.ask(parse('DELETE FROM größen WHERE id = $1', 'd', [23]), sync);
    const answers = await client.told(runPrepared('d', ['2']), runPrepared('d', ['1']), sync);
    const [error] = answers.filter((each) => each.startsWith('E'));
    expect(error).toMatch(/C=54000 .*H=It is not done again in batches .*not a transaction of its own/);
    expect(answers.at(-1)).toBe('Z I');
    expect(await left()).toEqual({ posts: 120, users: 4 });
    expect((await observer.query('SELECT FROM größen')).rowCount).toBe(2);
  });

  test('a rule is asked before the first batch', async () => {
    await observer.query('INSERT INTO bills VALUES (1)');
    const client = await login();
    for (const bytes of [query(DELETE), Buffer.concat([run(DELETE), sync])]) {
      const answers = await client.told(bytes);
      expect(answers.filter((each) => each.startsWith('E')).join()).toMatch(/C=23001 .*n=bills_org_fkey/);
      expect(await left()).toEqual({ posts: 120, users: 4 });
    }
  });

  test('what stops a batch says how much is gone', async () => {
    // Before the first batch it does nothing: it sees what was there when its statement began.
    await observer.query(`CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql STABLE AS $$
      BEGIN IF (SELECT count(*) FROM posts) < 120 THEN RAISE 'no'; END IF; RETURN OLD; END $$;
      CREATE TRIGGER stops BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION stop()`);
    try {
      const client = await login();
      const answers = await client.told(query(DELETE));
      expect(answers.filter((each) => each.startsWith('E')).join()).toMatch(
        /H=\d+ rows are gone, in \d transactions.* M=no/,
      );
      expect((await left()).posts).toBeLessThan(120);
      expect((await client.told(query('SELECT 1'))).at(-1)).toBe('Z I');
    } finally {
      await observer.query('DROP TRIGGER stops ON users; DROP FUNCTION stop');
    }
  });

  test('names beyond ASCII in another encoding than UTF8 leave it the error of the server', async () => {
    const client = await login();
    await client.ask(query('SET client_encoding = latin1'));
    const latin1 = Buffer.concat([Buffer.from('Q'), Buffer.alloc(4), Buffer.from(`${DELETE}\0`, 'latin1')]);
    latin1.writeUInt32BE(latin1.length - 1, 1);
    const error = (await client.told(latin1)).find((each) => each.startsWith('E'));
    expect(error).toMatch(strategy === 'ordered' ? /C=0A000/ : /C=54000 .*names beyond ASCII in LATIN1/);
    expect(await left()).toEqual({ posts: 120, users: 4 });
  });

  describe('a limit that is reached at the commit', () => {
    let owner: pg.Client;
    let client: RawClient;
    beforeEach(async () => {
      owner = await late.connect();
      await fill(owner);
      client = await login({ database: late.name });
      return () => owner.end();
    });
    const isLeft = async (posts: number, users: number) =>
      expect((await owner.query(LEFT)).rows[0]).toEqual({ posts, users });

    test('a query is done again', async () => {
      expect(unnoticed(await client.told(query(DELETE))).slice(-2)).toEqual(['C DELETE 1', 'Z I']);
      await isLeft(0, 0);
    });

    test('an Execute is, at the Sync after it', async () => {
      await client.ask(parse('DELETE FROM größen WHERE id = $1', 'd', [23]), sync);
      const answers = unnoticed(await client.told(runPrepared('d', ['1']), sync));
      expect(answers.filter((each) => NOTICE.test(each)).length).toBe(1);
      expect(answers.slice(-2)).toEqual(['C DELETE 1', 'Z I']);
      await isLeft(0, 0);
      // What was prepared is there, and the session goes on.
      for (const id of ['1', '2'])
        expect((await client.told(runPrepared('d', [id]), sync)).slice(-2)).toEqual([
          `C DELETE ${Number(id) - 1}`,
          'Z I',
        ]);
      expect(await client.told(run('SELECT 1'), sync)).toContain('D 1');
    });

    test('a rule that is broken there is the error of the Sync, after the answer', async () => {
      await owner.query(`CREATE OR REPLACE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'so far'; RAISE 'no'; END $$;
        CREATE CONSTRAINT TRIGGER a_stop AFTER DELETE ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stop()`);
      try {
        const answers = await client.told(run('DELETE FROM users WHERE id = 1'), sync);
        expect(answers.slice(-4).map((each) => each.replace(/^([NE]) .* (M=[^=]*) .=.*$/, '$1 $2'))).toEqual([
          'C DELETE 1',
          'N M=so far',
          'E M=no',
          'Z I',
        ]);
        await isLeft(120, 4);
      } finally {
        await owner.query('DROP TRIGGER a_stop ON users');
      }
    });

    test.each([
      ['a Flush', flush, []],
      ['another statement', run('SELECT 1'), ['1', '2', 'T', 'D 1', 'C SELECT 1']],
    ] as const)('after %s the answer is out, and the Sync tells the error', async (_, between, answered) => {
      const answers = await client.told(run(DELETE), between, sync);
      const at = answers.indexOf('C DELETE 1');
      expect(at).toBeGreaterThan(0);
      expect(answers.slice(at + 1, -2).map((each) => each.replace(/^T .*/, 'T'))).toEqual(answered);
      expect(answers.at(-2)).toMatch(/^E .*C=54000/);
      await isLeft(120, 4);
    });

    test('after a Flush the client gets the answer at once', async () => {
      client.send(run('DELETE FROM users WHERE id = 1'), flush);
      await client.until('C');
      expect((await client.told(sync)).at(-1)).toBe('Z I');
      await isLeft(90, 3);
    });
  });
});
