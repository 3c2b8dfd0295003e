/** A reduced twin of each engine: cascades in plain statements against its own enforced keys, or against those of PostgreSQL. */
import { onTestFinished } from 'vitest';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { sideOf } from './families-twin.js';
import { missingH2, startH2 } from './h2.js';
import { missing } from './packages.js';
import { SQLITE_PACKAGE, startSqlite } from './sqlite.js';
import { connect, describeTwin, expectSame, postgresOracle, ROUNDS, tables, through } from './twin-sides.js';
import { addKeys, DEFAULTS, WORLDS } from './worlds.js';

const ALL = [...WORLDS, DEFAULTS];

describeTwin('twin of H2', missingH2(), async () => {
  const server = await startH2();
  onTestFinished(() => server.close());
  const [owner, oracle] = [await connect(server), await connect(server, 'native')];
  // Its own SET DEFAULT does not look whether the default references a row: docs/databases.md.
  await owner.query(tables(WORLDS, 'none').join('; '));
  await oracle.query([...tables(WORLDS, 'none'), ...WORLDS.flatMap(addKeys)].join('; '));
  await expectSame(
    {
      worlds: WORLDS,
      subject: sideOf(await through(server, WORLDS, 'public', {})),
      oracle: sideOf(oracle),
      failsAsQuery: true,
      async load(side, statements) {
        const rows = statements.join('; ');
        if (side === 'subject') await owner.query(rows);
        else await oracle.query(`SET REFERENTIAL_INTEGRITY FALSE; ${rows}; SET REFERENTIAL_INTEGRITY TRUE`);
      },
      // Its server waits for an acknowledgement before it sends the rest of an answer: it takes most of the time.
    },
    Math.ceil(ROUNDS / 3),
  );
});

describeTwin('twin of SQLite', missing(SQLITE_PACKAGE), async () => {
  const [engine, native] = [
    await startSqlite(tables(WORLDS, 'none')),
    await startSqlite(tables(WORLDS, 'inline')),
  ];
  onTestFinished(() => engine.close());
  onTestFinished(() => native.close());
  const [owner, oracle] = [await connect(engine), await connect(native)];
  await expectSame({
    worlds: WORLDS,
    subject: sideOf(await through(engine, WORLDS, 'main', { profile: 'sqlite' })),
    oracle: sideOf(oracle),
    countsGone: true,
    async load(side, statements) {
      if (side === 'oracle') await oracle.query('PRAGMA foreign_keys = OFF');
      for (const sql of statements) await (side === 'oracle' ? oracle : owner).query(sql);
      if (side === 'oracle') await oracle.query('PRAGMA foreign_keys = ON');
    },
  });
});

describeTwin('twin of DuckDB', missing(DUCKDB_PACKAGE), async () => {
  const engine = await startDuckDb(tables(ALL, 'none'));
  onTestFinished(() => engine.close());
  const owner = await connect(engine);
  const { oracle, load } = await postgresOracle(ALL);
  await expectSame({
    worlds: ALL,
    subject: sideOf(await through(engine, ALL, 'main', {})),
    oracle,
    withoutBlocks: [DEFAULTS],
    async load(side, statements) {
      if (side === 'oracle') await load(statements.join('; '));
      else for (const sql of statements) await owner.query(sql);
    },
  });
});
