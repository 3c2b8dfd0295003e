/** `pgcascade install` and `pgcascade uninstall`: what they make, print and leave behind, and what they never break. */
import { EventEmitter } from 'node:events';
import type pg from 'pg';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { main } from '../../src/cli.js';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install, OlderTransactions } from '../../src/graph/watch/install.js';
import { workspace } from '../config/workspace.js';
import { useDatabase } from '../support/database.js';
import { startPostgres } from '../support/postgres.js';
import { createDatabaseOn } from '../support/scratch-database.js';

const database = useDatabase();

beforeEach(async () => {
  const client = await database.connect();
  await client.query(
    'DROP EVENT TRIGGER IF EXISTS pgcascade_change; DROP SCHEMA IF EXISTS pgcascade CASCADE',
  );
});

async function run(...argv: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(argv, {
    env: {},
    cwd: workspace(),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    process: new EventEmitter(),
    startApp: () => Promise.reject(new Error('nothing is served')),
  });
  return { code, out: out.join(''), err: err.join('') };
}

/** All that there is beside the server's own. */
async function objects(): Promise<readonly string[]> {
  const client = await database.connect();
  const { rows } = await client.query(`
    SELECT concat('schema ', nspname) AS name FROM pg_namespace WHERE oid >= 16384 UNION
    SELECT concat('function ', oid::regprocedure) FROM pg_proc WHERE oid >= 16384 UNION
    SELECT concat('event trigger ', evtname) FROM pg_event_trigger ORDER BY name`);
  return rows.map(({ name }) => name);
}

/** A connection that listens, and what it was told of so far when it has asked once more. */
async function listener(): Promise<() => Promise<number>> {
  const client = await database.connect();
  let told = 0;
  client.on('notification', () => {
    told++;
  });
  await client.query('LISTEN pgcascade');
  return async () => {
    await client.query('');
    return told;
  };
}

const OBJECTS = ['event trigger pgcascade_change', 'function pgcascade.notify_change()', 'schema pgcascade'];

describe('install', () => {
  test('makes a schema, a function and an event trigger, and says so', async () => {
    const { code, out } = await run('install', database.url);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^pgcascade is installed in scratch_\w+ on 127.0.0.1:\d+. Made: schema pgcascade, function pgcascade.notify_change\(\), event trigger pgcascade_change.\n/,
    );
    expect(await objects()).toEqual(OBJECTS);
  });

  test('run again changes nothing', async () => {
    await run('install', database.url);
    const { code, out } = await run('install', database.url);
    expect([code, out]).toEqual([0, expect.stringMatching(/on 127.0.0.1:\d+. It was already.\n$/)]);
    expect(await objects()).toEqual(OBJECTS);
  });

  test('run twice at a time makes one of each', async () => {
    const both = await Promise.all([run('install', database.url), run('install', database.url)]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(await objects()).toEqual(OBJECTS);
  });

  test('enables a trigger that was disabled', async () => {
    const client = await database.connect();
    await run('install', database.url);
    await client.query('ALTER EVENT TRIGGER pgcascade_change DISABLE');
    expect((await run('install', database.url)).out).toContain('Made: event trigger pgcascade_change.');
    const told = await listener();
    await client.query('CREATE TABLE made ()');
    expect(await told()).toBe(1);
  });

  test('waits for transactions that began earlier: what they change is not told', async () => {
    const client = await database.connect();
    await client.query('BEGIN; CREATE TABLE early ()');
    const target = parseGraphUrl(database.url);
    await expect(install(target, { patience: 0 })).rejects.toThrow(OlderTransactions);
    await expect(install(target, { patience: 0 })).rejects.toThrow(/process \d+, transaction/);
    let installed: ReturnType<typeof install> | undefined;
    const older = await new Promise((resolve) => {
      installed = install(target, { onWait: resolve });
    });
    expect(older).toEqual([expect.stringMatching(/^process \d+, transaction \d+\/\d+$/)]);
    await client.query('COMMIT');
    expect((await installed)?.changed).toEqual(['event trigger pgcascade_change']);
  });

  test('waits for prepared transactions too', async () => {
    const client = await database.connect();
    await client.query('BEGIN');
    await client.query(`CREATE TABLE earlier (); PREPARE TRANSACTION 'install_early'`);
    onTestFinished(async () => {
      await client.query(`ROLLBACK PREPARED 'install_early'`);
    });
    await expect(install(parseGraphUrl(database.url), { patience: 0 })).rejects.toThrow(
      "prepared transaction 'install_early'",
    );
  });

  test('without the rights says so, gives 1 and leaves nothing', async () => {
    const client = await database.connect();
    await client.query('CREATE ROLE install_weak LOGIN');
    onTestFinished(async () => {
      await client.query('DROP OWNED BY install_weak; DROP ROLE install_weak');
    });
    const weak = database.url.replace('//postgres', '//install_weak');
    const { code, err } = await run('install', weak);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /^pgcascade: cannot install in scratch_\w+ on 127.0.0.1:\d+: permission denied for database scratch_\w+. An event trigger is made by a superuser.\n$/,
      ),
    ]);
    await client.query(`GRANT CREATE ON DATABASE ${database.name} TO install_weak`);
    expect((await run('install', weak)).err).toContain(
      'permission denied to create event trigger "pgcascade_change". Must be superuser to create an event trigger.',
    );
    expect(await objects()).toEqual([]);
  });

  test('does not touch an event trigger of that name that is another', async () => {
    const client = await database.connect();
    await client.query(`
      CREATE FUNCTION other() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
      CREATE EVENT TRIGGER pgcascade_change ON sql_drop EXECUTE FUNCTION other()`);
    onTestFinished(async () => {
      await client.query('DROP EVENT TRIGGER IF EXISTS pgcascade_change; DROP FUNCTION other()');
    });
    const { code, err } = await run('install', database.url);
    expect([code, err]).toEqual([1, expect.stringContaining('there is another event trigger')]);
    await run('uninstall', database.url);
    expect(await objects()).toEqual(['event trigger pgcascade_change', 'function other()']);
  });

  test('takes the function over, so that nobody else can change what it does', async () => {
    const client = await database.connect();
    await client.query(`
      CREATE ROLE install_owner;
      CREATE SCHEMA pgcascade AUTHORIZATION install_owner;
      CREATE FUNCTION pgcascade.notify_change() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
      ALTER FUNCTION pgcascade.notify_change() OWNER TO install_owner`);
    onTestFinished(async () => {
      await client.query('DROP OWNED BY install_owner CASCADE; DROP ROLE install_owner');
    });
    await run('install', database.url);
    const { rows } = await client.query(
      `SELECT proowner::regrole::text AS owner FROM pg_proc WHERE oid = 'pgcascade.notify_change'::regproc`,
    );
    expect(rows).toEqual([{ owner: 'postgres' }]);
  });

  test('without a URL gives 2', async () => {
    const { code, err } = await run('install');
    expect([code, err]).toEqual([
      2,
      'pgcascade: install needs a database: give its URL, or set graph.url.\n',
    ]);
  });

  test('with a URL that is none gives 2', async () => {
    const { code, err } = await run('install', 'postgres://db');
    expect([code, err]).toEqual([2, 'URL: has no user in its URL\n']);
  });

  test('where nobody answers gives 1', async () => {
    const { code, err } = await run('install', 'postgres://me@127.0.0.1:1/shop');
    expect([code, err]).toEqual([
      1,
      'pgcascade: cannot install in shop on 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1.\n',
    ]);
  });
});

describe('uninstall', () => {
  test('removes what install made, and says so', async () => {
    await run('install', database.url);
    const { code, out } = await run('uninstall', database.url);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^pgcascade is not installed in .* Removed: schema pgcascade, function/),
    ]);
    expect(await objects()).toEqual([]);
  });

  test('where there is nothing says that', async () => {
    const { code, out } = await run('uninstall', database.url);
    expect([code, out]).toEqual([0, expect.stringContaining('There was nothing to remove.')]);
  });

  test('keeps a schema that was there before', async () => {
    const client = await database.connect();
    await client.query('CREATE SCHEMA pgcascade');
    await run('install', database.url);
    await run('uninstall', database.url);
    expect(await objects()).toEqual(['schema pgcascade']);
  });

  test('keeps a schema that others use', async () => {
    const client = await database.connect();
    await run('install', database.url);
    await client.query('CREATE TABLE pgcascade.theirs ()');
    expect((await run('uninstall', database.url)).code).toBe(0);
    expect(await objects()).toEqual(['schema pgcascade']);
  });
});

describe('with the event trigger', () => {
  async function prepared(): Promise<{ client: pg.Client; told: () => Promise<number> }> {
    await run('install', database.url);
    return { client: await database.connect(), told: await listener() };
  }

  test('a transaction tells once, however much it changes', async () => {
    const { client, told } = await prepared();
    await client.query('BEGIN; CREATE TABLE one (); CREATE TABLE two (); DROP TABLE one, two; COMMIT');
    expect(await told()).toBe(1);
  });

  test('a transaction that is rolled back tells nothing', async () => {
    const { client, told } = await prepared();
    await client.query('BEGIN; CREATE TABLE never (); ROLLBACK');
    expect(await told()).toBe(0);
  });

  test('a change under session_replication_role = replica is told', async () => {
    const { client, told } = await prepared();
    await client.query('SET session_replication_role = replica; CREATE TABLE replicated ()');
    expect(await told()).toBe(1);
    await client.query('DROP TABLE replicated');
  });

  test('any role can change the schema, whatever its rights and its search_path', async () => {
    const { client, told } = await prepared();
    await client.query(`
      REVOKE ALL ON FUNCTION pgcascade.notify_change(), pg_notify(text, text), pg_notification_queue_usage()
      FROM PUBLIC`);
    await client.query(`CREATE ROLE install_plain; CREATE SCHEMA mine AUTHORIZATION install_plain`);
    onTestFinished(async () => {
      await client.query('RESET ROLE; DROP OWNED BY install_plain; DROP ROLE install_plain');
    });
    await client.query(`SET ROLE install_plain; SET search_path = mine;
      CREATE FUNCTION mine.pg_notification_queue_usage() RETURNS float8 LANGUAGE sql AS 'SELECT 1::float8'`);
    const before = await told();
    await client.query('CREATE TABLE mine.t ()');
    expect(await told()).toBe(before + 1);
  });

  test('what may be done in a read-only transaction still may', async () => {
    const { client } = await prepared();
    await client.query('CREATE TABLE read (id int PRIMARY KEY)');
    await client.query('BEGIN READ ONLY; REINDEX TABLE read; COMMIT');
    await client.query('DROP TABLE read');
  });

  test('a transaction that changes the schema cannot be prepared, which install foretells', async () => {
    const { out } = await run('install', database.url);
    expect(out).toContain('a transaction that changes the schema can no longer be prepared');
    const client = await database.connect();
    await client.query('BEGIN; CREATE TABLE twice ()');
    await expect(client.query(`PREPARE TRANSACTION 'twice'`)).rejects.toThrow('NOTIFY');
  });
});

test('a change of the schema does not fail where the queue of notifications is full', async () => {
  const server = await startPostgres({ config: { max_notify_queue_pages: '64' } });
  onTestFinished(() => server.stop('immediate'));
  const small = await createDatabaseOn(server);
  await run('install', small.url);
  const [client, sleeper] = [await small.connect(), await small.connect()];
  const warnings: unknown[] = [];
  client.on('notice', ({ message }) => warnings.push(message));
  // In its transaction it reads nothing of what others notify.
  await sleeper.query('LISTEN other');
  await sleeper.query('BEGIN');
  const notify = `SELECT pg_notify('other', concat(i, repeat('x', 7900))) FROM generate_series(1, 10) i`;
  const fill = async () => {
    for (;;) await client.query(notify);
  };
  await expect(fill()).rejects.toThrow('too many notifications in the NOTIFY queue');
  warnings.length = 0;
  await client.query('CREATE TABLE made ()');
  expect(warnings).toEqual([expect.stringContaining('pgcascade was not told of this change')]);
  await small.drop();
});
