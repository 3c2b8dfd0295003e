/** Many clients for some minutes, as a program: `npm run test:load -- --seconds 180`. Exit status: 0 all as promised, 1 not, 2 bad usage. */
import { atLeast, runCommand, type Values } from '../support/command.js';
import type { ProcessorTime } from '../support/processor-time.js';
import { Busy, type Counts } from './busy.js';
import { Idle } from './idle.js';
import { latencies, slowestHundredth } from './latencies.js';
import { type Stage, startStage, type Way } from './stage.js';

const help = `usage: npm run test:load -- [OPTION…]

Connects idle clients through pgcascade, and busy ones through it and straight to the server, in turn, over TLS on all ways. Prints errors,
memory, what a login costs the proxy, and how long SELECT 1 takes meanwhile. The busy ones select, insert, delete with cascades, and come and go.

  --idle N      idle connections (1000)
  --busy N      busy clients (200)
  --seconds N   how long (180)
  --clear       without TLS
  --scram       with passwords, by SCRAM
`;

const options = {
  idle: { type: 'string', default: '1000' },
  busy: { type: 'string', default: '200' },
  seconds: { type: 'string', default: '180' },
  clear: { type: 'boolean', default: false },
  scram: { type: 'boolean', default: false },
} as const;

/** Bytes of the process for each idle connection, at most. */
const MOST_BYTES = { clear: 40_000, tls: 80_000 };
/** Connections before the memory is looked at. */
const WARMING = 50;
/** How many times as slow as directly the slowest hundredth of SELECT 1 may be, each while the busy ones go the same way. */
const MOST_TIMES = 3;
/** How often the busy ones change from one way to the other and back: what else the machine does meets both. */
const TURNS = 3;

interface Work {
  readonly counts: Counts;
  readonly errors: readonly string[];
  /** The slowest hundredth, in milliseconds. */
  readonly slowest: number;
}

async function run(values: Values<typeof options>): Promise<boolean> {
  const idle = atLeast(1, '--idle', values.idle);
  const busy = atLeast(1, '--busy', values.busy);
  const seconds = atLeast(1, '--seconds', values.seconds);
  const stage = await startStage(WARMING + idle + busy, {
    encrypted: !values.clear,
    scram: values.scram,
  });
  try {
    // The first ones are for what all share.
    const first = await Idle.connect(stage, WARMING);
    const before = await stage.memory();
    const workedBefore = stage.processorTime();
    const sleeping = await Idle.connect(stage, idle);
    console.log(`a login: ${perLogin(workedBefore, stage.processorTime(), idle)}`);
    const perConnection = ((await stage.memory()) - before) / idle;
    console.log(`${idle} idle connections: ${(perConnection / 1000).toFixed(1)} KB each`);
    const { proxy, direct } = await workInTurn(stage, busy, (seconds * 1000) / TURNS / 2);
    const lost = (await first.end()) + (await sleeping.end());
    const [leftBehind, orphans] = [await stage.leftBehind(), await stage.orphans()];
    const errors = [...proxy.errors, ...direct.errors];
    const times = proxy.slowest / direct.slowest;
    console.log(`through the proxy: ${listed(proxy.counts)}\ndirectly: ${listed(direct.counts)}`);
    console.log(
      `the slowest hundredth of SELECT 1: ${proxy.slowest.toFixed(2)} ms, directly ${direct.slowest.toFixed(2)} ms, ${times.toFixed(2)} times`,
    );
    console.log(
      `${errors.length} errors, ${lost} idle connections lost, ${leftBehind} connections to the server left, ${orphans} orphans`,
    );
    for (const error of new Set(errors)) console.log(`  ${error}`);
    const most = values.clear ? MOST_BYTES.clear : MOST_BYTES.tls;
    const faults = [
      errors.length > 0 && 'there were errors',
      lost + leftBehind + orphans > 0 && 'something was lost, or left',
      !(perConnection <= most) && `a connection takes more than ${most / 1000} KB`,
      !(times <= MOST_TIMES) && `the slowest hundredth is more than ${MOST_TIMES} times as slow`,
    ].filter(Boolean);
    console.log(faults.length > 0 ? `not as promised: ${faults.join('; ')}` : 'all as promised');
    return faults.length === 0;
  } finally {
    await stage.stop();
  }
}

/** Of the logins of clients that then ask once. */
function perLogin(before: ProcessorTime, after: ProcessorTime, logins: number): string {
  const each = (what: keyof ProcessorTime) => ((after[what] - before[what]) / logins).toFixed(2);
  return `${each('worked')} ms of the proxy's thread, which waited ${each('waited')} ms for a processor`;
}

/** @param milliseconds of each turn on each way */
async function workInTurn(stage: Stage, busy: number, milliseconds: number): Promise<Record<Way, Work>> {
  const turns: Record<Way, { readonly worked: Busy; readonly took: readonly number[] }[]> = {
    proxy: [],
    direct: [],
  };
  for (let turn = 0; turn < TURNS; turn++)
    for (const way of ['proxy', 'direct'] as const) {
      const working = await Busy.start(stage, way, busy);
      const took = await latencies(stage, way, milliseconds);
      turns[way].push({ worked: await working.stop(), took });
    }
  const workOf = (way: Way): Work => ({
    counts: sum(turns[way].map(({ worked }) => worked.counts)),
    errors: turns[way].flatMap(({ worked }) => worked.errors),
    slowest: slowestHundredth(turns[way].flatMap(({ took }) => took)),
  });
  return { proxy: workOf('proxy'), direct: workOf('direct') };
}

function sum(all: readonly Counts[]): Counts {
  const add = (what: keyof Counts) => all.reduce((total, counts) => total + counts[what], 0);
  return {
    selects: add('selects'),
    inserts: add('inserts'),
    cascades: add('cascades'),
    connects: add('connects'),
  };
}

function listed(counts: Counts): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}

await runCommand({ help, options, run });
