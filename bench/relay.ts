import { availableParallelism } from 'node:os';
import { choice, number, readOptions, SWITCH, UPSTREAM, type ValuesOf } from './options.js';
import { findPgbench, type Target } from './pgbench.js';
import { startBareRelay, startPgcascade } from './relays.js';
import { type Summary, summarize, table } from './statistics.js';
import { openUpstream, type Upstream } from './upstream.js';

export const usage = `relay: what a statement pays for passing through pgcascade, against a relay that only pipes

  --rounds N          rounds, each with every way once, in another order (5)
  --seconds N         length of a run (5)
  --clients N         connections (8)
  --protocol NAME     simple, extended or prepared (simple)
  --upstream URL      a PostgreSQL reached without TLS; a database is made on it (by default: one of its own)
  --at-least RATIO    exit 1 when the median of pgcascade / bare is below
  --control           a second bare relay in pgcascade's place: shows the noise of this machine`;

const OPTIONS = {
  rounds: number(5, 1),
  seconds: number(5, 1),
  clients: number(8, 1),
  protocol: choice('simple', 'extended', 'prepared'),
  upstream: UPSTREAM,
  'at-least': number(0, 0),
  control: SWITCH,
};

type Way = 'direct' | 'bare' | 'subject';
type Round = Readonly<Record<Way, number>>;

/** Runs the rounds, prints medians and ratios. Gives false when the ratio is below the one asked for. */
export async function relay(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const upstream = await openUpstream(options.upstream);
  const stops = [() => upstream.close()];
  try {
    const pgbench = findPgbench(upstream.url);
    const direct = { host: upstream.url.hostname, port: Number(upstream.url.port || 5432) };
    await pgbench.initialize(direct);
    const bare = await startBareRelay(upstream.url);
    stops.unshift(bare.stop);
    const subject = await (options.control ? startBareRelay : startPgcascade)(upstream.url);
    stops.unshift(subject.stop);
    const targets: Record<Way, Target> = {
      direct,
      bare: { host: '127.0.0.1', port: bare.port },
      subject: { host: '127.0.0.1', port: subject.port },
    };
    const rounds: Round[] = [];
    for (let number = 0; number < options.rounds; number++) {
      progress(`round ${number + 1} of ${options.rounds}`);
      rounds.push(await runRound(number, (way) => pgbench.transactionsPerSecond(targets[way], options)));
    }
    progress('');
    const name = options.control ? 'bare again' : 'pgcascade';
    const ratio = summarize(rounds.map((round) => round.subject / round.bare));
    console.log(heading(options, upstream));
    console.log(report(rounds, name, ratio));
    return ratio.median >= options['at-least'];
  } finally {
    for (const stop of stops) await stop();
  }
}

/** Every way once. Each round starts with another way, so that none always profits from a machine warmed up. */
async function runRound(number: number, measure: (way: Way) => Promise<number>): Promise<Round> {
  const ways: Way[] = ['direct', 'bare', 'subject'];
  const round = { direct: 0, bare: 0, subject: 0 };
  for (let step = 0; step < ways.length; step++) {
    const way = ways[(number + step) % ways.length] ?? 'direct';
    round[way] = await measure(way);
  }
  return round;
}

function heading(
  { rounds, seconds, clients, protocol }: ValuesOf<typeof OPTIONS>,
  { version }: Upstream,
): string {
  const work = `pgbench -S, protocol ${protocol}, ${clients} clients, ${rounds} rounds of ${seconds} s`;
  return `${work}; PostgreSQL ${version}, Node ${process.version}, ${availableParallelism()} cores`;
}

function report(rounds: readonly Round[], name: string, ratio: Summary): string {
  const row = (label: string, { median, min, max }: Summary, digits: number) => [
    label,
    ...[median, min, max].map((value) => value.toFixed(digits)),
  ];
  const tps = (way: Way) => summarize(rounds.map((round) => round[way]));
  const toDirect = summarize(rounds.map((round) => round.subject / round.direct));
  return table([
    ['', 'median', 'min', 'max'],
    row('direct, tps', tps('direct'), 0),
    row('bare relay, tps', tps('bare'), 0),
    row(`${name}, tps`, tps('subject'), 0),
    row(`${name} / bare relay`, ratio, 3),
    row(`${name} / direct`, toDirect, 3),
  ]);
}

/** Shows how far it is, on a terminal only; '' wipes it. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
