/** The fuzzer as a program: `npm run test:fuzz -- --seed 7 --runs 2000`. Exit status: 0 no difference, 1 some, 2 bad usage. */
import { atLeast, oneOf, runCommand, UsageError, type Values } from '../support/command.js';
import { startPostgres } from '../support/postgres.js';
import { ProxyProgram } from '../support/proxy-program.js';
import { createDatabaseOn, type Database } from '../support/scratch-database.js';
import type { Statements } from './case.js';
import { fuzz } from './fuzz.js';
import { type Difference, reproduction } from './report.js';
import { OVERRIDES } from './schema-sql.js';
import { Twins } from './twins.js';

const help = `usage: npm run test:fuzz -- [OPTION…]

Runs random statements on random schemas, natively and through pgcascade, and prints what differs.

  --seed N          the first seed (default: of the clock)
  --seeds N         how many seeds, one after the other (default: 1)
  --case N          begin with this case of a seed (default: 0)
  --runs N          statements for each seed, at the least (default: 2000)
  --differences N   stop a seed after so many differences (default: 5)
  --shrink SECONDS  how long to look for a smaller case of each (default: 60, 0: not at all)
  --show KIND       print what is known to differ by this name, or refused; or all
  --count           the proxy counts the rows of each table, which makes another statement of each (audit.path)
  --writes          INSERT, UPDATE, MERGE and COPY in place of DELETE and TRUNCATE, with cascade.guard: check and cascade.copy: verify
  --unreferenced    such an UPDATE sets no columns that keys reference
  --strategy WHICH  single or ordered: how the proxy carries a cascade out (cascade.strategy; default: single)
  --batch-rows N    the proxy deletes and changes so many rows a transaction (cascade.batch_rows)
  --keys WHICH      emulated (NOT ENFORCED keys), overridden (NO ACTION keys with overrides), or with --batch-rows
                    enforced (the server cascades by them too); default: some of each
`;

const options = {
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  seeds: { type: 'string', default: '1' },
  case: { type: 'string', default: '0' },
  runs: { type: 'string', default: '2000' },
  differences: { type: 'string', default: '5' },
  shrink: { type: 'string', default: '60' },
  show: { type: 'string' },
  strategy: { type: 'string', default: 'single' },
  'batch-rows': { type: 'string', default: '0' },
  keys: { type: 'string', default: 'all' },
  count: { type: 'boolean', default: false },
  writes: { type: 'boolean', default: false },
  unreferenced: { type: 'boolean', default: false },
} as const;

async function run(values: Values<typeof options>): Promise<boolean> {
  const [seed, seeds] = [atLeast(0, '--seed', values.seed), atLeast(1, '--seeds', values.seeds)];
  const first = atLeast(0, '--case', values.case);
  const runs = atLeast(1, '--runs', values.runs);
  const most = atLeast(1, '--differences', values.differences);
  const seconds = atLeast(0, '--shrink', values.shrink);
  const batchRows = atLeast(0, '--batch-rows', values['batch-rows']);
  if (batchRows > 0 && values.writes) throw new UsageError('--writes takes no --batch-rows');
  const keys = oneOf(
    ['emulated', 'overridden', ...(batchRows > 0 ? (['enforced'] as const) : []), 'all'],
    '--keys',
    values.keys,
  );
  const strategy = oneOf(['single', 'ordered'], '--strategy', values.strategy);
  const server = await startPostgres({ config: { autovacuum: 'off' } });
  try {
    const audit = { path: values.count ? '/dev/null' : null };
    const config = {
      cascade: {
        overrides: OVERRIDES,
        strategy,
        batch_rows: batchRows || null,
        ...(values.writes ? { guard: 'check', copy: 'verify' } : {}),
      },
      audit,
      log: { level: 'warn' },
    };
    const proxy = await ProxyProgram.start(server, config, { showsLog: true });
    const shown = new Map<string, number>();
    let statements = 0;
    let differences = 0;
    let refused = 0;
    for (let each = seed; each < seed + seeds; each++) {
      // What was dropped makes catalogs slow: each seed has new ones.
      const [native, emulated] = [await createDatabaseOn(server), await createDatabaseOn(server)];
      const at = ({ name }: Database, port = server.port) => ({ ...server, port, database: name });
      const twins = await Twins.connect(at(native), at(emulated), at(emulated, proxy.port), batchRows > 0);
      const started = performance.now();
      const figures = await fuzz(twins, {
        seed: each,
        first,
        statements: runs,
        differences: most,
        shrinkFor: seconds * 1000,
        ...(keys === 'all' ? {} : { keys }),
        which: batchRows > 0 ? 'deletes in batches' : whichOf(values),
        found: (difference, name) => print(`${name}: a difference`, difference),
        knows: (difference, name, what) => {
          if (values.show === what || values.show === 'all') print(`${name}: ${what}`, difference);
        },
      });
      const rate = figures.statements / ((performance.now() - started) / 1000);
      console.log(
        `seed ${each}: ${figures.statements} statements on ${figures.cases} schemas, ${figures.failed} failed on both sides, ` +
          `known to differ: ${listed(figures.known)}; refused: ${listed(figures.refused)}; ${figures.differences.length} differences (${rate.toFixed(0)} statements a second)`,
      );
      twins.end();
      await native.drop();
      await emulated.drop();
      for (const [name, count] of figures.shown) shown.set(name, (shown.get(name) ?? 0) + count);
      statements += figures.statements;
      refused += sum(figures.refused);
      differences += figures.differences.length;
    }
    console.log(`statements that changed rows by: ${listed(shown)}`);
    const share = ((100 * refused) / statements).toFixed(1);
    console.log(`${statements} statements, ${seeds} seeds, ${share} % refused, ${differences} differences`);
    await proxy.kill();
    return differences === 0;
  } finally {
    await server.stop('immediate');
  }
}

function whichOf({ writes, unreferenced }: Values<typeof options>): Statements {
  if (!writes) return 'deletes';
  return unreferenced ? 'writes of new keys' : 'writes';
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

function print(title: string, difference: Difference): void {
  console.log(`\n==== ${title}\n${reproduction(difference)}\n====\n`);
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
}

await runCommand({ help, options, run });
