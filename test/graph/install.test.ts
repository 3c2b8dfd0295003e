/** `pgcascade install` and `pgcascade uninstall`: what they make, print and leave behind. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install, OlderTransactions } from '../../src/graph/watch/install.js';
import { run, useInstalling } from './installing.js';

const { database, objects, listener } = useInstalling();

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
