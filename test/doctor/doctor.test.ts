/** `pgcascade doctor`: what it finds in a database, and how it ends. */
import { expect, test } from 'vitest';
import { run } from '../cli/run.js';
import { workspace } from '../config/workspace.js';
import { databaseWith, examined, SOUND } from './examined.js';

test('ends with 0 where nothing has to be done, and says who performs which keys', async () => {
  const { exit, findings, keys, server } = await examined(SOUND);
  expect({ exit, findings, keys }).toEqual({
    exit: 0,
    findings: [],
    keys: { proxy: 1, server: 0, nobody: 0 },
  });
  expect(server).toContain('PostgreSQL 18');
});

test('finds rows whose key names nothing, and gives a statement that shows them', async () => {
  const { exit, findings } = await examined(`${SOUND} INSERT INTO users VALUES (3, 7), (4, 8)`);
  expect(exit).toBe(1);
  expect(findings).toEqual([
    {
      level: 'problem',
      check: 'orphans',
      text: '2 rows of "public"."users" name no row of "public"."orgs" ("users_org" of "public"."users").',
      remedy: expect.stringContaining('SELECT * FROM ONLY "public"."users"'),
    },
  ]);
});

test('counts no more than a thousand orphans of a key', async () => {
  const { findings } = await examined(
    `${SOUND} INSERT INTO users SELECT i, i FROM generate_series(10, 2000) AS i`,
  );
  expect(findings.map(({ text }) => text)).toEqual([expect.stringMatching(/^1000 or more rows of/)]);
});

test.each([
  { full: '', orphans: 0 },
  { full: 'MATCH FULL', orphans: 1 },
])('takes a key that is NULL in part as $full has it', async ({ full, orphans }) => {
  const { findings } = await examined(`
    CREATE TABLE shops (a int, b text, PRIMARY KEY (a, b));
    CREATE TABLE items (a int, b text, FOREIGN KEY (a, b) REFERENCES shops ${full} NOT ENFORCED);
    CREATE INDEX ON items (a);
    INSERT INTO items VALUES (1, NULL), (NULL, NULL)`);
  expect(findings.filter(({ check }) => check === 'orphans')).toHaveLength(orphans);
});

test('finds the orphans of partitions, and under a collation and types of its own', async () => {
  const { findings } = await examined(`
    CREATE TABLE orgs (id bigint PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE orgs_1 PARTITION OF orgs FOR VALUES FROM (0) TO (10);
    CREATE TABLE users (org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED) PARTITION BY LIST (org);
    CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1, 2);
    CREATE INDEX ON users (org);
    INSERT INTO orgs VALUES (1); INSERT INTO users VALUES (1), (2)`);
  expect(findings.map(({ check, text }) => [check, text])).toEqual([
    ['orphans', expect.stringMatching(/^1 row of "public"."users" names no row of "public"."orgs"/)],
  ]);
});

test('goes on where the rows of one table cannot be read', async () => {
  const { exit, findings } = await examined(
    `${SOUND} INSERT INTO users VALUES (3, 7);
    CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE lines (org int) SERVER files OPTIONS (filename '/nowhere/lines')`,
    'cascade: { relations: [{ name: lines_org, from: public.lines(org), to: public.orgs(id), on_delete: cascade }] }',
  );
  expect(exit).toBe(1);
  expect(findings.filter(({ level }) => level === 'problem').map(({ check, text }) => [check, text])).toEqual(
    [
      ['orphans', expect.stringMatching(/^1 row of "public"."users"/)],
      ['orphans', expect.stringMatching(/"public"."lines" .* cannot be seen: could not open file/)],
    ],
  );
});

test('names what of the configuration does not hold here', async () => {
  const { exit, findings } = await examined(
    SOUND,
    'cascade: { overrides: [{ match: "public.nobody.*", on_delete: cascade }] }',
  );
  expect(exit).toBe(1);
  expect(findings).toEqual([
    expect.objectContaining({
      level: 'problem',
      check: 'configuration',
      text: expect.stringContaining('public.nobody.*'),
    }),
  ]);
});

test('names the tables whose DELETE is refused', async () => {
  const { exit, findings } = await examined(
    `${SOUND} CREATE RULE kept AS ON DELETE TO users DO INSTEAD NOTHING`,
  );
  expect(exit).toBe(1);
  expect(findings).toEqual([
    expect.objectContaining({
      level: 'problem',
      check: 'refused',
      text: expect.stringMatching(/^A DELETE is refused \(PGC_RELATION\): .*"orgs"/),
    }),
  ]);
});

test('notes keys without an index, with the statement that makes one', async () => {
  const { exit, findings } = await examined(`${SOUND} DROP INDEX users_org_idx`);
  expect(exit).toBe(0);
  expect(findings).toEqual([
    expect.objectContaining({
      level: 'note',
      check: 'indexes',
      remedy: 'CREATE INDEX CONCURRENTLY ON "public"."users" ("org");',
    }),
  ]);
});

const PARTED = `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED) PARTITION BY RANGE (org);
  CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (0) TO (9) PARTITION BY RANGE (org);
  CREATE TABLE users_1_1 PARTITION OF users_1 FOR VALUES FROM (0) TO (5);
  CREATE TABLE users_2 PARTITION OF users FOR VALUES FROM (9) TO (99);
  CREATE INDEX ON users_1_1 (org);`;

test('the statement for a partitioned table is one that PostgreSQL takes, and helps', async () => {
  const { findings } = await examined(PARTED);
  const remedy = 'CREATE INDEX ON "public"."users" ("org");';
  expect(findings).toMatchObject([{ check: 'indexes', remedy }]);
  expect((await examined(`${PARTED} ${remedy}`)).findings).toEqual([]);
});

test('no index is missing where each partition has one, nor where there can be none, nor of a key that is refused', async () => {
  const { findings } = await examined(
    `${PARTED} CREATE INDEX ON users_2 (org);
    CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE lines (org int) SERVER files OPTIONS (filename '/dev/null');
    CREATE EXTENSION btree_gist;
    CREATE TABLE rooms (id int, during daterange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
    CREATE TABLE bookings (room int, during daterange,
      FOREIGN KEY (room, PERIOD during) REFERENCES rooms (id, PERIOD during) NOT ENFORCED)`,
    'cascade: { relations: [{ name: lines_org, from: public.lines(org), to: public.orgs(id), on_delete: cascade }] }',
  );
  expect(findings.map(({ check, text }) => [check, text])).toEqual([
    ['refused', expect.stringContaining('PGC_PERIOD')],
  ]);
});

test.each([
  ['{ unsupported: reject }', 'A DELETE is refused (PGC_RELATION): '],
  ['{ unsupported: pass }', 'A DELETE is passed as it is, and nothing cascades (PGC_RELATION): '],
])('says what becomes of a DELETE that cannot be expanded: %s', async (cascade, text) => {
  const { exit, findings } = await examined(
    `${SOUND} CREATE RULE kept AS ON DELETE TO users DO INSTEAD NOTHING`,
    `cascade: ${cascade}`,
  );
  expect({ exit, findings }).toMatchObject({
    exit: 1,
    findings: [{ check: 'refused', text: expect.stringContaining(text) }],
  });
});

test.each([
  'single',
  'ordered',
])('knows that each strategy carries out a cycle that the server enforces: %s', async (strategy) => {
  const { findings } = await examined(
    `CREATE TABLE trees (id int PRIMARY KEY, parent int REFERENCES trees); CREATE INDEX ON trees (parent)`,
    `cascade: { strategy: ${strategy}, overrides: [{ match: public.trees.*, on_delete: cascade }] }`,
  );
  expect(findings).toEqual([]);
});

test.each([
  ['h2', 'auto', 'note', 'a cascade is carried out there by several statements'],
  ['h2', 'single', 'problem', 'nothing cascades there'],
  ['citus', 'auto', 'problem', 'nothing cascades there'],
])('says what becomes of cascades on a server of another family: %s, strategy %s', async (profile, strategy, level, what) => {
  const { exit, findings } = await examined(
    SOUND,
    `{ profile: ${profile}, cascade: { strategy: ${strategy} } }`,
  );
  expect({ exit, findings }).toEqual({
    exit: level === 'problem' ? 1 : 0,
    findings: [expect.objectContaining({ level, check: 'server', text: expect.stringContaining(what) })],
  });
});

test('notes that nothing cascades where cascades are switched off', async () => {
  const { exit, findings } = await examined(SOUND, 'cascade: { mode: off }');
  expect({ exit, findings }).toMatchObject({
    exit: 0,
    findings: [
      { level: 'note', check: 'configuration', text: expect.stringContaining('cascade.mode is off') },
    ],
  });
});

test('notes triggers that cascades fire and that may delete more', async () => {
  const { findings } = await examined(`${SOUND}
    CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM orgs; RETURN OLD; END';
    CREATE TRIGGER clearing AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION clear()`);
  expect(findings).toEqual([
    expect.objectContaining({
      level: 'note',
      check: 'triggers',
      text: expect.stringMatching(/^The trigger "clearing" .* neither cascaded nor checked\.$/),
    }),
  ]);
});

test('says in words what there is, what to do, and what holds with the guard and the locks that are set', async () => {
  const { url } = await databaseWith(`${SOUND} INSERT INTO users VALUES (3, 7)`);
  const cwd = workspace({ 'pgcascade.yaml': 'cascade: { guard: check, locks: rows }' });
  const { code, written } = run(['doctor', '--url', url], undefined, {}, cwd);
  expect(await code).toBe(1);
  expect(written.join('\n')).toMatch(
    /^out: scratch_\w+ on 127\.0\.0\.1:\d+, as \w+: PostgreSQL 18.*\nForeign keys: 1 performed by pgcascade, 0 by the server, 0 by nobody\.\n\nSomething has to be done:\n {2}\[orphans\] 1 row .*\n {6}Delete or mend: .*;\n\nWhat holds \(cascade\.guard: check, cascade\.locks: rows\).*\n {2}A key that names nothing is refused \(23503\) if .* is never left if .*; one that was written past it may be left, unless .*\n\n1 to be done\.$/,
  );
});

test("takes the database that libpq's variables name, where neither --url nor graph.url is there", async () => {
  const { url } = await databaseWith(SOUND);
  const { hostname, port, username, password, pathname } = new URL(url);
  const env = {
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGDATABASE: pathname.slice(1),
    ...(password ? { PGPASSWORD: password } : {}),
  };
  const { code, written } = run(['doctor'], undefined, env);
  expect([await code, written[0]]).toEqual([0, expect.stringContaining(`out: ${env.PGDATABASE} on`)]);
});

test('needs a database, and says which one it cannot look at', async () => {
  const none = run(['doctor']);
  expect([await none.code, none.written[0]]).toEqual([
    2,
    expect.stringContaining('doctor needs a database: give its URL'),
  ]);
  const closed = run(['doctor', 'postgres://nobody:secret@127.0.0.1:1/shop']);
  expect([await closed.code, closed.written]).toEqual([
    1,
    [expect.stringMatching(/^err: pgcascade: cannot look at shop on 127\.0\.0\.1:1: .*ECONNREFUSED/)],
  ]);
});
