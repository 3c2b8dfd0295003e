/** The interleavings as a program: `npm run test:interleave -- --seed 7 --runs 2000`. Exit status: 0 all differences are known, 1 not, 2 bad usage. */
import { atLeast, oneOf, runCommand, type Values } from '../../support/command.js';
import { startPostgres } from '../../support/postgres.js';
import { ProxyProgram } from '../../support/proxy-program.js';
import { createDatabaseOn, type Database } from '../../support/scratch-database.js';
import { OVERRIDES } from '../schema-sql.js';
import { interleave } from './interleave.js';
import { reproduction } from './report.js';
import { CLIENTS, settingsOf } from './settings.js';
import { Side } from './side.js';

const help = `usage: npm run test:interleave -- [OPTION…]

Interleaves short transactions of two and three clients, natively and through pgcascade, and prints what differs.

  --seed N          the first seed (default: of the clock)
  --seeds N         how many seeds, one after the other (default: 1)
  --scenario N      begin with this scenario of a seed (default: 0)
  --runs N          interleavings for each seed (default: 200)
  --isolation L     read committed or repeatable read (default: read committed)
  --keys WHICH      emulated (NOT ENFORCED), overridden (NO ACTION keys with overrides), or both (default)
  --guarded         with cascade.guard: check and cascade.locks: rows, and writes in more forms, of emulated keys
  --show WHICH      print unknown differences (default), all, or only those of one kind
`;

const options = {
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  seeds: { type: 'string', default: '1' },
  scenario: { type: 'string', default: '0' },
  runs: { type: 'string', default: '200' },
  isolation: { type: 'string', default: 'read committed' },
  keys: { type: 'string', default: 'both' },
  guarded: { type: 'boolean', default: false },
  show: { type: 'string', default: 'unknown' },
} as const;

async function run(values: Values<typeof options>): Promise<boolean> {
  const [firstSeed, seeds] = [atLeast(0, '--seed', values.seed), atLeast(1, '--seeds', values.seeds)];
  const first = atLeast(0, '--scenario', values.scenario);
  const runs = atLeast(1, '--runs', values.runs);
  const keys = values.guarded ? 'emulated' : oneOf(['emulated', 'overridden', 'both'], '--keys', values.keys);
  const server = await startPostgres({ config: { autovacuum: 'off' } });
  try {
    const guard = values.guarded ? { guard: 'check', locks: 'rows' } : {};
    const config = { cascade: { overrides: OVERRIDES, ...guard }, log: { level: 'warn' } };
    const proxy = await ProxyProgram.start(server, config, { showsLog: true });
    const kinds = new Map<string, number>();
    let unknown = 0;
    let interleavings = 0;
    let waited = 0;
    let orphans = 0;
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const [native, other] = [await createDatabaseOn(server), await createDatabaseOn(server)];
      const at = ({ name }: Database, port = server.port) => ({ ...server, port, database: name });
      const settings = settingsOf(values.isolation);
      const sides = {
        native: await Side.connect(at(native), at(native), CLIENTS, settings),
        proxied: await Side.connect(at(other), at(other, proxy.port), CLIENTS, settings),
      };
      const figures = await interleave(sides, {
        seed,
        first,
        runs,
        keys,
        guarded: values.guarded,
        keepsSnapshot: values.isolation !== 'read committed',
        found: (found) => {
          if (values.show === 'all' || values.show === found.kind)
            console.log(`\n==== ${found.name}: ${found.kind}\n${reproduction(found)}\n====\n`);
        },
      });
      for (const [kind, count] of figures.kinds) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
      unknown += figures.differences.length;
      interleavings += figures.interleavings;
      waited += figures.waited;
      orphans += figures.orphans;
      for (const side of Object.values(sides)) side.end();
      await native.drop();
      await other.drop();
    }
    const listed = [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
    console.log(
      `${interleavings} interleavings in ${values.isolation}, a step waited in ${waited}; ${orphans} orphans: ${listed}`,
    );
    await proxy.kill();
    return unknown === 0;
  } finally {
    await server.stop('immediate');
  }
}

await runCommand({ help, options, run });
