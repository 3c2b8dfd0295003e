/** On PostgreSQL 15, 16 and 17: what the configuration adds to keys is done as the server's own keys do it. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../cli/run.js';
import { workspace } from '../config/workspace.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { describeMissing } from '../support/programs.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../support/proxy.js';
import { createDatabaseOn, type Database } from '../support/scratch-database.js';
import { CASCADES, ROWS, SCHEMAS, TABLE_NAMES } from './keys.js';
import { NOT_INSTALLED, packagedServer, VERSIONS, type Version } from './older.js';

type Kind = keyof typeof CASCADES;

/** Each begins with the same rows. */
const DELETES: readonly string[] = [
  'DELETE FROM orgs WHERE id = 1',
  'DELETE FROM orgs AS o WHERE id <= 2 RETURNING o.*, upper(name)',
  'DELETE FROM orgs WHERE id = 3',
  'DELETE FROM users USING orgs WHERE org = orgs.id AND orgs.name = $$two$$ RETURNING users.id',
  'DELETE FROM users WHERE id = 30',
  'DELETE FROM parts WHERE id = 101 RETURNING *',
  'DELETE FROM parts_high',
  'DELETE FROM orgs WHERE id = 7',
  'DELETE FROM notes WHERE id IN (1, 2) RETURNING id',
  'WITH gone AS (DELETE FROM orgs WHERE id = 2 RETURNING name) SELECT name FROM gone',
  'BEGIN; DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 2; COMMIT',
  'PREPARE p (int) AS DELETE FROM teams WHERE a = $1 RETURNING b; EXECUTE p (1); DEALLOCATE p',
  'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) DELETE FROM bills',
  'COPY (DELETE FROM tags RETURNING id) TO STDOUT',
];
const MERGE =
  'MERGE INTO orgs USING (VALUES (1), (9)) AS v (n) ON id = n WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (n, $$nine$$)';
const SINCE_17 = [
  MERGE,
  'MERGE INTO orgs USING (VALUES (2)) AS v (n) ON id = n WHEN MATCHED THEN DELETE RETURNING merge_action(), id',
  'MERGE INTO orgs USING (VALUES (7)) AS v (n) ON id = n WHEN NOT MATCHED BY SOURCE AND id < 3 THEN DELETE',
];
/** One after the other, with cascade.guard. */
const WRITES = [
  'INSERT INTO users VALUES (40, 4)',
  'INSERT INTO users VALUES (40, 1), (41, NULL) RETURNING id',
  'INSERT INTO members VALUES (9, 1, $$y$$, NULL)',
  'INSERT INTO pieces VALUES (3, 55)',
  'INSERT INTO parts SELECT 150, id FROM orgs WHERE id = 2',
  'INSERT INTO bills VALUES (1, 30) ON CONFLICT DO NOTHING',
  'UPDATE users SET name = $$f$$ WHERE id = 10',
];
/** Which needs OLD and NEW. */
const SINCE_18 = 'UPDATE users SET org = 99 WHERE id = 10';

for (const version of VERSIONS) {
  const packaged = packagedServer(version);
  if (packaged === undefined) describeMissing(`PostgreSQL ${version}`, NOT_INSTALLED);
  else describe(`PostgreSQL ${version}`, () => describeServer(version, packaged));
}

function describeServer(version: Version, packaged: string): void {
  let server: Server;
  const databases = new Map<keyof typeof SCHEMAS, Database>();
  beforeAll(async () => {
    server = await startPostgres({ packaged });
    for (const kind of ['native', 'overridden', 'configured'] as const) {
      const database = await createDatabaseOn(server);
      databases.set(kind, database);
      await (await database.connect()).query(SCHEMAS[kind]);
    }
  });
  afterAll(async () => {
    for (const database of databases.values()) await database.drop();
    await server?.stop();
  });
  const databaseOf = (kind: keyof typeof SCHEMAS): Database => {
    const database = databases.get(kind);
    if (!database) throw new Error(`the database ${kind} was not made`);
    return database;
  };
  /** Has the same asked directly of the server's own keys, and through a proxy with this configuration. */
  const useSides = (kind: Kind, cascade: ProxyOptions['cascade']) => {
    let proxy: RunningProxy;
    let native: pg.Client;
    let through: pg.Client;
    beforeAll(async () => {
      proxy = await startProxy({ upstream: `postgres://${server.host}:${server.port}`, cascade });
      native = await databaseOf('native').connect();
      through = await proxy.connect(databaseOf(kind).name);
    });
    afterAll(() => proxy?.stop());
    const asNatively = async (asked: readonly Asked[]) => {
      for (const each of [native, through]) await each.query(ROWS);
      const expected = { told: await answers(native, asked), left: await rowsIn(native) };
      expect({ told: await answers(through, asked), left: await rowsIn(through) }).toEqual(expected);
      expect(proxy.log).toEqual([]);
    };
    const isRefused = async (sql: string, error: string) => {
      const before = await rowsIn(through);
      const detail = `pgcascade reports ${error}.`;
      expect(await answers(through, [sql])).toEqual([expect.objectContaining({ code: '0A000', detail })]);
      expect(await rowsIn(through)).toEqual(before);
    };
    return Object.assign(asNatively, { isRefused });
  };

  describe.each(['overridden', 'configured'] as const)('with keys that are %s', (kind) => {
    describe.each(['single', 'ordered'] as const)('by the strategy %s', (strategy) => {
      const asNatively = useSides(kind, { ...CASCADES[kind], strategy });
      test.each([...DELETES, ...(version >= 17 ? SINCE_17 : [])])('%s', (sql) => asNatively([sql]));
      test('a DELETE with a parameter, prepared once', () => {
        const text = 'DELETE FROM orgs WHERE id = $1 RETURNING name';
        return asNatively([1, 2, 3].map((id) => ({ name: 'gone', text, values: [id] })));
      });
      if (version < 17)
        test('MERGE is refused, as it has no RETURNING', () => asNatively.isRefused(MERGE, 'PGC_FORM'));
    });
  });

  describe('with cascade.guard', () => {
    const asNatively = useSides('configured', { ...CASCADES.configured, guard: 'check' });
    test('what is written is checked as declared keys check it', () => asNatively(WRITES));
    test('an UPDATE of a key is refused', () => asNatively.isRefused(SINCE_18, 'PGC_GUARD'));
  });

  test('pgcascade doctor says who performs its keys, and finds the rows that reference nothing', async () => {
    const { url } = databaseOf('configured');
    const client = await databaseOf('configured').connect();
    await client.query(`${ROWS} INSERT INTO members VALUES (4, 9, 'z', 99)`);
    const settings = JSON.stringify({ cascade: CASCADES.configured });
    const cwd = workspace({ 'pgcascade.yaml': settings });
    const { code, written } = run(['doctor', url, '--format', 'json'], undefined, {}, cwd);
    expect(await code).toBe(1);
    const report = JSON.parse(written.join('').replace(/^out: /, ''));
    expect(report.server).toContain(`PostgreSQL ${version}`);
    expect(report.keys).toEqual({ proxy: 11, server: 1, nobody: 0 });
    const texts = report.findings.flatMap(({ check, text }: Record<string, string>) =>
      check === 'orphans' ? [text] : [],
    );
    expect(texts).toEqual([
      expect.stringMatching(/^1 row of "public"\."members" names no row of "public"\."teams"/),
      expect.stringMatching(/^1 row of "public"\."members" names no row of "public"\."users"/),
    ]);
  });
}

type Asked = string | pg.QueryConfig;

/** What a client gets for each: of an error all that says what is broken. */
async function answers(client: pg.Client, asked: readonly Asked[]): Promise<readonly unknown[]> {
  const told: unknown[] = [];
  for (const each of asked) {
    try {
      const result: pg.QueryResult | readonly pg.QueryResult[] = await client.query(each);
      told.push([result].flat().map(({ command, rowCount, rows }) => ({ command, rowCount, rows })));
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const { code, constraint, detail, message, schema, table } = error;
      told.push({ code, constraint, detail, message, schema, table });
    }
  }
  return told;
}

async function rowsIn(client: pg.Client): Promise<unknown> {
  const each = TABLE_NAMES.map(
    (name) => `(SELECT array_agg(t::text ORDER BY t::text) FROM ${name} AS t) AS ${name}`,
  );
  return (await client.query(`SELECT ${each.join(', ')}`)).rows[0];
}
