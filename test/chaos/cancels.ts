/** Cancel requests that come late, many at once, inside of a pipeline, or for a session that has ended. */
import { query, run, sync } from '../support/frontend-messages.js';
import { packet } from '../support/raw-client.js';
import { untilBlocked } from '../support/server-sessions.js';
import { Client } from './client.js';
import { found, leftOf } from './families.js';
import { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

const CANCEL_REQUEST = 80877102;
const CANCELLED = '57014';
const FIRST = 10_000;
const STORM = 10;
/** Long enough to be hit by what is not meant for it. */
const INNOCENT = 'SELECT pg_sleep(0.02)';

type Timing = 'late' | 'storming' | 'pipelined' | 'ended';
const TIMINGS: readonly Timing[] = ['late', 'storming', 'pipelined', 'ended'];

export async function cancel(scene: Scene, { seed, cases, first = 0 }: Campaign): Promise<Figures> {
  const figures = new Figures('cancel requests');
  for (let each = first; each < first + cases; each++) {
    const timing = TIMINGS[each % TIMINGS.length] ?? 'late';
    const { cancelled, expected } = await playCase(
      scene,
      timing,
      FIRST + each,
      new Random(seed * 1_000_003 + each),
    );
    figures.add(`${timing}: ${cancelled} cancelled`);
    if (cancelled !== expected)
      figures.addDefects(`seed ${seed}, case ${each}`, [`${timing}: ${cancelled} statements were cancelled`]);
  }
  figures.addDefects('at the end', await scene.defects());
  return figures;
}

/** How many statements were cancelled, and how many should have been. */
async function playCase(scene: Scene, timing: Timing, org: number, random: Random) {
  const [client, bystander] = [await scene.login(), await scene.login()];
  const key = client.messages.find(({ type }) => type === 'K')?.body ?? Buffer.alloc(8);
  const request = () => requestCancel(scene.proxy.port, key);
  if (timing === 'storming' || timing === 'pipelined')
    await cancelWaiting(scene, client, timing, org, request);
  else if (timing === 'late') {
    client.send(query('SELECT 1'));
    await client.until('Z', 2);
    // Who sends a request waits until its connection is closed: from then on it must do nothing.
    await Promise.all(Array.from({ length: 1 + random.below(STORM) }, request));
    client.send(query(INNOCENT), query(INNOCENT));
    await client.until('Z', 4);
  } else {
    client.leave('goodbye');
    await client.untilOver();
    bystander.send(query(INNOCENT), query(INNOCENT));
    await Promise.all([bystander.until('Z', 3), request(), request()]);
  }
  for (const each of [client, bystander]) each.leave('goodbye');
  await scene.untilNothingIsOpenSoon();
  const errors = [...client.errors, ...bystander.errors];
  const cancelled = errors.filter((code) => code === CANCELLED).length;
  return { cancelled, expected: timing === 'storming' || timing === 'pipelined' ? 1 : 0 };
}

/** Cancels a cascade that waits for a lock; what the client says after it is not meant. @throws where it is done in part */
async function cancelWaiting(
  scene: Scene,
  client: Client,
  timing: Timing,
  org: number,
  request: () => Promise<void>,
): Promise<void> {
  await found(scene.watcher, org, 1);
  const locker = await scene.database.connect();
  await locker.query('BEGIN');
  await locker.query('SELECT FROM person WHERE id = $1 FOR UPDATE', [4 * org + 3]);
  const innocent = [run(INNOCENT), sync, run(INNOCENT), sync];
  client.send(run(`DELETE FROM org WHERE id = ${org}`), sync, ...(timing === 'pipelined' ? innocent : []));
  await untilBlocked(scene.watcher);
  const requests = Array.from({ length: timing === 'storming' ? STORM : 1 }, request);
  await client.until('Z', 2);
  if (timing === 'storming') client.send(...innocent);
  await Promise.all([client.until('Z', 4), ...requests]);
  await locker.query('ROLLBACK');
  await locker.end();
  const left = (await leftOf(scene.watcher, org, 1)).get(org);
  if (left !== 'whole') throw new Error(`a cascade was cancelled, and the family is ${left}`);
}

async function requestCancel(port: number, key: Buffer): Promise<void> {
  const client = new Client(port);
  client.send(packet(CANCEL_REQUEST, key));
  await client.untilOver();
  client.leave('close');
}
