/** Reduced twins of H2 and DuckDB whose schema has the keys, and the configuration none, or what is to be done for them. */
import { onTestFinished } from 'vitest';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { sideOf } from './families-twin.js';
import { missingH2, startH2 } from './h2.js';
import { missing } from './packages.js';
import {
  connect,
  describeTwin,
  expectSame,
  postgresOracle,
  ROUNDS,
  startBefore,
  tables,
  through,
} from './twin-sides.js';
import { addKeys, relationsOf, WORLDS, type World, world } from './worlds.js';

/** A row that RESTRICT keeps, and another cascade would take. */
const ALL = [...WORLDS, world('held', 'b.a_id > a cascade', 'c.a_id > a cascade', 'c.b_id > b restrict')];
const OFF = 'SET REFERENTIAL_INTEGRITY FALSE';
const ON = 'SET REFERENTIAL_INTEGRITY TRUE';

const withoutActions = (worlds: readonly World[]): readonly World[] =>
  worlds.map((each) => ({
    ...each,
    keys: each.keys.map((key) => ({ ...key, action: 'no action' as const })),
  }));

/** @param declared the keys of the database that the proxy is before @param enforced by H2 itself */
async function twinOfH2(declared: readonly World[], enforced: boolean, worlds: readonly World[]) {
  const server = await startH2();
  onTestFinished(() => server.close());
  const [owner, oracle] = [await connect(server), await connect(server, 'native')];
  await owner.query([...tables(ALL, 'none'), ...declared.flatMap(addKeys)].join('; '));
  await oracle.query([...tables(ALL, 'none'), ...ALL.flatMap(addKeys)].join('; '));
  if (!enforced) await owner.query(OFF);
  await expectSame(
    {
      worlds,
      subject: sideOf(await through(server, enforced ? worlds : [], 'public', {})),
      oracle: sideOf(oracle),
      failsAsQuery: true,
      async load(side, statements) {
        const client = side === 'oracle' ? oracle : owner;
        const isOn = side === 'oracle' || enforced;
        await client.query([OFF, ...statements, isOn ? ON : OFF].join('; '));
      },
    },
    Math.ceil(ROUNDS / 3),
  );
}

/** It looks at an enforced key after each row: rows that reference each other in a circle cannot go one after the other. */
const ENFORCED_WORLDS = ALL.filter(({ name }) => name !== 'cycle');

describeTwin('twin of H2 with keys that it does not enforce', missingH2(), () => twinOfH2(ALL, false, ALL));

describeTwin('twin of H2 with enforced keys, which relations give actions', missingH2(), () =>
  twinOfH2(withoutActions(ALL), true, ENFORCED_WORLDS),
);

/** DuckDB adds no keys to a table that is there, and a statement that deletes or loads a whole tree fails. */
const DUCKDB_WORLDS = ALL.filter(({ name }) => name !== 'cycle' && name !== 'tree');

describeTwin(
  'twin of DuckDB with enforced keys, which relations give actions',
  missing(DUCKDB_PACKAGE),
  async () => {
    const declared = tables(withoutActions(DUCKDB_WORLDS), 'inline').map((sql) =>
      sql.replace(/ ON DELETE NO ACTION/g, ''),
    );
    const engine = await startDuckDb(declared);
    onTestFinished(() => engine.close());
    const owner = await connect(engine);
    const { oracle, load } = await postgresOracle(DUCKDB_WORLDS);
    const proxy = await startBefore(engine, DUCKDB_WORLDS, 'main', {
      cascade: { relations: relationsOf(DUCKDB_WORLDS, 'main'), atomic: false },
    });
    await expectSame({
      worlds: DUCKDB_WORLDS,
      subject: sideOf(await connect(proxy)),
      oracle,
      withoutBlocks: DUCKDB_WORLDS,
      async load(side, statements) {
        if (side === 'oracle') return void (await load(statements.join('; ')));
        const deletes = statements.filter((sql) => sql.startsWith('DELETE')).reverse();
        const others = statements.filter((sql) => !sql.startsWith('DELETE'));
        for (const sql of [...deletes, ...others]) await owner.query(sql);
      },
    });
  },
);
