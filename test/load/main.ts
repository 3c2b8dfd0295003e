/** Many clients for some minutes, as a program: `npm run test:load -- --seconds 180`. Exit status: 0 all as promised, 1 not, 2 bad usage. */
import { parseArgs } from 'node:util';
import { Busy } from './busy.js';
import { Idle } from './idle.js';
import { latencies } from './latencies.js';
import { startStage } from './stage.js';

const help = `usage: npm run test:load -- [OPTION…]

Connects idle clients and busy ones, by TLS on both ways, and prints errors, memory and latencies. The busy ones select, insert,
delete with cascades, and come and go.

  --idle N      idle connections (1000)
  --busy N      busy clients (200)
  --seconds N   how long (180)
  --clear       without TLS
`;

/** Bytes of the process for each idle connection, at the most. */
const MOST_BYTES = { clear: 40_000, tls: 80_000 };
/** Connections before the memory is looked at. */
const WARMING = 50;
/** How many times slower than directly the slowest hundredth of SELECT 1 may be. */
const MOST_TIMES = 3;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      idle: { type: 'string', default: '1000' },
      busy: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '180' },
      clear: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [idle, busy, seconds] = [values.idle, values.busy, values.seconds].map(Number) as [
    number,
    number,
    number,
  ];
  const stage = await startStage(WARMING + idle + busy, !values.clear);
  try {
    // The first ones are for what all share.
    const first = await Idle.connect(stage, WARMING);
    const before = await stage.memory();
    const sleeping = await Idle.connect(stage, idle);
    const perConnection = ((await stage.memory()) - before) / idle;
    console.log(`${idle} idle connections: ${(perConnection / 1000).toFixed(1)} KB each`);
    const working = await Busy.start(stage, busy);
    const { proxy, direct } = await latencies(stage, seconds * 1000);
    const { counts, errors } = await working.stop();
    const lost = (await first.end()) + (await sleeping.end());
    const [leftBehind, orphans] = [await stage.leftBehind(), await stage.orphans()];
    console.log(
      `done: ${Object.entries(counts)
        .map(([what, count]) => `${count} ${what}`)
        .join(', ')}`,
    );
    console.log(
      `the slowest hundredth of SELECT 1: ${proxy.toFixed(2)} ms, directly ${direct.toFixed(2)} ms, ${(proxy / direct).toFixed(2)} times`,
    );
    console.log(
      `${errors.length} errors, ${lost} idle connections lost, ${leftBehind} connections to the server left, ${orphans} orphans`,
    );
    for (const error of new Set(errors)) console.log(`  ${error}`);
    const most = values.clear ? MOST_BYTES.clear : MOST_BYTES.tls;
    const faults = [
      errors.length > 0 && 'there were errors',
      lost + leftBehind + orphans > 0 && 'something was lost, or left',
      perConnection > most && `a connection takes more than ${most / 1000} KB`,
      proxy / direct > MOST_TIMES && `the slowest hundredth is more than ${MOST_TIMES} times as slow`,
    ].filter(Boolean);
    console.log(faults.length > 0 ? `not as promised: ${faults.join('; ')}` : 'all as promised');
    return faults.length > 0 ? 1 : 0;
  } finally {
    await stage.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
