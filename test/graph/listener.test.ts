/** The connection of graph.url: which changes it counts, and when it says that it cannot know. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install, uninstall } from '../../src/graph/watch/install.js';
import { SchemaListener } from '../../src/graph/watch/listener.js';
import { useDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { startPostgres } from '../support/postgres.js';
import { createDatabaseOn, type Database } from '../support/scratch-database.js';

const database = useDatabase();

/** A listener that was started, with what it said. */
async function listen(url = database.url, patience?: number) {
  const said: string[] = [];
  let heard = () => {};
  const write = (level: string) => (message: string) => {
    said.push(`${level} ${message}`);
    heard();
  };
  const log = { info: write('info'), warn: write('warn') };
  const listener = new SchemaListener(parseGraphUrl(url), log, patience);
  onTestFinished(() => listener.close());
  await listener.start();
  return {
    said,
    changes: () => listener.changes(listener.begun),
    /** Waits until it has said so much. */
    async lines(count: number) {
      while (said.length < count)
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      return said;
    },
  };
}

const installIn = ({ url }: Database) => install(parseGraphUrl(url));
const TOLD = expect.stringMatching(/^info changes of the schema of \w+ on 127.0.0.1:\d+ are told/);
const untold = (why: string) => expect.stringMatching(new RegExp(`^warn .*${why}.* graph.refresh$`));

/** A way to the server that can be opened, and stopped up: then nothing comes through, and nobody is told. */
async function way() {
  const { host, port } = inject('postgres');
  const at = await freePort();
  const streams: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(port, host);
    streams.push(client, upstream);
    for (const stream of [client, upstream]) stream.on('error', () => stream.destroy());
    client.pipe(upstream).pipe(client);
  });
  onTestFinished(() => {
    server.close();
    for (const stream of streams) stream.destroy();
  });
  return {
    url: database.url.replace(`:${port}/`, `:${at}/`),
    open: () => once(server.listen(at, '127.0.0.1'), 'listening'),
    stopUp() {
      for (const stream of streams) stream.unpipe().pause();
    },
  };
}

const CHANGES = [
  'ALTER TABLE child ADD CONSTRAINT key FOREIGN KEY (parent_id) REFERENCES parent NOT ENFORCED',
  'ALTER TABLE child ALTER CONSTRAINT key ENFORCED',
  'ALTER TABLE child ALTER CONSTRAINT key NOT ENFORCED',
  'ALTER TABLE child RENAME CONSTRAINT key TO other',
  'ALTER TABLE child DROP CONSTRAINT other',
  'ALTER TABLE child RENAME parent_id TO owner',
  'ALTER TABLE child RENAME TO infant',
  'ALTER SCHEMA shop RENAME TO store',
  'ALTER TABLE infant SET SCHEMA store',
  'ALTER TABLE parent ADD COLUMN more int',
  'ALTER TABLE parent DROP COLUMN more',
  'ALTER TABLE whole DETACH PARTITION part',
  'ALTER TABLE whole ATTACH PARTITION part FOR VALUES IN (1)',
  'ALTER TABLE whole DETACH PARTITION part CONCURRENTLY',
  'CREATE TABLE heir () INHERITS (parent)',
  'ALTER TABLE heir NO INHERIT parent',
  'CREATE RULE rule AS ON DELETE TO parent DO ALSO NOTIFY nobody',
  'DROP RULE rule ON parent',
  'CREATE OR REPLACE VIEW seen AS SELECT id, name FROM heir',
  'CREATE INDEX first ON store.infant (owner)',
  'CREATE INDEX CONCURRENTLY second ON store.infant (owner)',
  'DROP INDEX CONCURRENTLY store.second',
  'DROP TABLE store.infant',
  'SELECT 1 AS id INTO made',
  `DO 'BEGIN CREATE TEMPORARY TABLE parent (id int PRIMARY KEY); END'`,
  'CREATE TEMP TABLE copied AS TABLE parent',
  'CREATE TEMP TABLE one (id int); CREATE TABLE other (id int)',
  'ALTER TABLE one ADD PRIMARY KEY (id)',
  'CREATE TEMP VIEW glimpse AS TABLE public.parent',
  'DROP SCHEMA store CASCADE',
  `DO 'BEGIN CREATE TABLE hidden (); END'`,
  'DROP OWNED BY listener_owner',
];

describe('where install ran', () => {
  test('every kind of change is known after its COMMIT', async () => {
    const client = await database.connect();
    await client.query(`
      CREATE SCHEMA shop;
      CREATE TABLE parent (id int PRIMARY KEY, name text);
      CREATE TABLE child (id int PRIMARY KEY, parent_id int);
      CREATE TABLE whole (id int) PARTITION BY LIST (id);
      CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
      CREATE VIEW seen AS SELECT * FROM parent;
      CREATE TABLE owned ();
      CREATE ROLE listener_owner;
      ALTER TABLE owned OWNER TO listener_owner`);
    onTestFinished(async () => {
      await client.query('DROP ROLE listener_owner');
    });
    await installIn(database);
    const { changes } = await listen();
    const missed: string[] = [];
    for (const sql of CHANGES) {
      const before = await changes();
      await client.query(sql);
      if ((await changes()) !== (before ?? Number.NaN) + 1) missed.push(sql);
    }
    expect(missed).toEqual([]);
  });

  test('a temporary table that a statement makes for its own session is not told', async () => {
    const client = await database.connect();
    await client.query('CREATE TABLE permanent (id int PRIMARY KEY)');
    await installIn(database);
    const { changes } = await listen();
    const before = await changes();
    for (const sql of [
      'CREATE TEMP TABLE mine (id int PRIMARY KEY, number serial UNIQUE)',
      ' create local temporary table of_mine (id int REFERENCES mine ON DELETE CASCADE); ',
      'CREATE TEMP TABLE heir () INHERITS (permanent)',
      'CREATE TEMP TABLE permanent (LIKE permanent INCLUDING ALL)',
    ])
      await client.query(sql);
    expect(await changes()).toBe(before);
    await client.query('DROP TABLE public.permanent CASCADE');
    expect(await changes()).toBe((before ?? Number.NaN) + 1);
  });

  test('a role that may only connect is told', async () => {
    await installIn(database);
    const client = await database.connect();
    await client.query('CREATE ROLE listener_weak LOGIN');
    onTestFinished(async () => {
      await client.query('DROP ROLE listener_weak');
    });
    const { changes, said } = await listen(database.url.replace('//postgres', '//listener_weak'));
    const before = await changes();
    await client.query('CREATE TABLE weak ()');
    expect(await changes()).toBe((before ?? Number.NaN) + 1);
    expect(said).toEqual([TOLD]);
  });

  test('a connection that was lost is made again, and what was remembered before is worth nothing', async () => {
    await installIn(database);
    const { changes, lines } = await listen();
    const before = await changes();
    const client = await database.connect();
    await client.query(`SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
      WHERE application_name = 'pgcascade' AND datname = current_database()`);
    expect(await changes()).toBeUndefined();
    expect(await lines(3)).toEqual([TOLD, untold('has no connection'), TOLD]);
    expect(await changes()).toBeGreaterThan(before ?? Number.NaN);
  });

  test('a connection on which nobody answers any more counts as lost', async () => {
    await installIn(database);
    const { url, open, stopUp } = await way();
    await open();
    const { changes, said } = await listen(url, 500);
    expect(said).toEqual([TOLD]);
    stopUp();
    expect(await changes()).toBeUndefined();
    expect(said).toEqual([TOLD, untold('has no connection')]);
  });

  test('a server that comes later than the listener is found, and one warning was enough', async () => {
    await installIn(database);
    const { url, open } = await way();
    const { changes, lines } = await listen(url);
    expect(await changes()).toBeUndefined();
    await open();
    expect(await lines(2)).toEqual([untold('ECONNREFUSED'), TOLD]);
    expect(await changes()).toBeTypeOf('number');
  });
});

describe('nothing is taken for known', () => {
  test('where install never ran; it is when it does', async () => {
    await uninstall(parseGraphUrl(database.url));
    const { changes, said } = await listen();
    expect(await changes()).toBeUndefined();
    await installIn(database);
    expect(await changes()).toBeTypeOf('number');
    expect(said).toEqual([untold('run pgcascade install'), TOLD]);
  });

  test('where the trigger was disabled, nor when it is only enabled again', async () => {
    await installIn(database);
    const { changes, said } = await listen();
    const client = await database.connect();
    await client.query('ALTER EVENT TRIGGER pgcascade_change DISABLE');
    expect(await changes()).toBeUndefined();
    await client.query('ALTER EVENT TRIGGER pgcascade_change ENABLE ALWAYS');
    expect(await changes()).toBeUndefined();
    await installIn(database);
    expect(await changes()).toBeTypeOf('number');
    expect(said).toEqual([TOLD, untold('run pgcascade install'), TOLD]);
  });

  test('where it was removed', async () => {
    await installIn(database);
    const { changes, said } = await listen();
    await uninstall(parseGraphUrl(database.url));
    expect(await changes()).toBeUndefined();
    expect(said).toEqual([TOLD, untold('run pgcascade install')]);
  });

  test('where the URL is wrong', async () => {
    const { changes, said } = await listen(`${database.url}_not`);
    expect(await changes()).toBeUndefined();
    expect(said).toEqual([untold('does not exist')]);
  });

  test('while the queue of notifications is more than half full', async () => {
    const server = await startPostgres({ config: { max_notify_queue_pages: '64' } });
    onTestFinished(() => server.stop('immediate'));
    const small = await createDatabaseOn(server);
    await installIn(small);
    const { changes, said } = await listen(small.url);
    const [client, sleeper] = [await small.connect(), await small.connect()];
    // In its transaction it reads nothing of what others notify.
    await sleeper.query('LISTEN other');
    await sleeper.query('BEGIN');
    await client.query(
      `SELECT pg_notify('other', concat(i, repeat('x', 7900))) FROM generate_series(1, 40) i`,
    );
    expect(await changes()).toBeUndefined();
    await sleeper.query('COMMIT');
    await sleeper.query('UNLISTEN other');
    expect(await changes()).toBeTypeOf('number');
    expect(said).toEqual([TOLD, untold('queue of notifications'), TOLD]);
    await small.drop();
  });
});

test('a listener can be closed while it connects, and before anybody answers', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const { url } = database;
  const target = parseGraphUrl(url.replace(/:\d+\//, `:${port}/`));
  const said: string[] = [];
  const log = { info: (line: string) => said.push(line), warn: (line: string) => said.push(line) };
  const listener = new SchemaListener(target, log);
  const started = listener.start();
  await once(silent, 'connection');
  await listener.close();
  await started;
  expect(said).toEqual([]);
});
