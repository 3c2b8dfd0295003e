/** Random bytes of clients, and of servers: whatever comes, the proxy lives, serves others, and keeps nothing of it. */
import { query, run, sync } from '../support/frontend-messages.js';
import { startupPacket } from '../support/raw-client.js';
import { Client, type Departure } from './client.js';
import { found, orphans } from './families.js';
import { CHANGES, toMessage } from './faults.js';
import { Figures } from './figures.js';
import { FAMILIES, frontendCase } from './frontend-cases.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

export interface Campaign {
  readonly seed: number;
  readonly cases: number;
  /** The case to begin with. */
  readonly first?: number;
}

/** Cases between two looks at what must hold. */
const BETWEEN_LOOKS = 10;
/** Cases after which no more memory may be kept. */
const WARM = 300;
/** Messages of a server, with its login, that may be changed. */
const MESSAGES = 70;
/** In milliseconds. */
const PATIENCE_WITH_SERVER = 400;

export async function fuzzFrontend(scene: Scene, campaign: Campaign): Promise<Figures> {
  const figures = new Figures('messages of clients');
  await play(scene, campaign, figures, async (random) => {
    const { bytes, cuts, departure } = frontendCase(random, scene.database.name);
    const client = new Client(scene.proxy.port);
    let from = 0;
    for (const cut of [...cuts, bytes.length]) {
      client.send(bytes.subarray(from, cut));
      from = cut;
      await new Promise(setImmediate);
    }
    return await outcomeOf(client, departure);
  });
  const left = await orphans(scene.watcher);
  if (left > 0) figures.addDefects(`seed ${campaign.seed}`, [`${left} rows have no parent`]);
  return figures;
}

/** A server whose messages are changed may say anything, so nothing is promised of the rows. */
export async function fuzzBackend(scene: Scene, campaign: Campaign): Promise<Figures> {
  const figures = new Figures('messages of servers');
  await play(scene, campaign, figures, async (random) => {
    const id = 1 + random.below(FAMILIES);
    const texts = [
      query(`DELETE FROM org WHERE id = ${id}`),
      query(`BEGIN; DELETE FROM team WHERE org_id = ${id} RETURNING id; COMMIT`),
      Buffer.concat([run('DELETE FROM org WHERE id = $1 RETURNING *', [String(id)]), sync]),
      Buffer.concat([
        run(`SELECT found(${id}, ${id})`),
        run('DELETE FROM team WHERE id = $1', [String(id)]),
        sync,
      ]),
      query('SELECT * FROM org; COPY org TO STDOUT'),
    ];
    const armed = scene.behind.arm(toMessage(random.below(MESSAGES), random.pick(CHANGES), random));
    const client = new Client(scene.proxy.port);
    const { database } = scene;
    client.send(
      startupPacket({ database: database.name }),
      random.pick(texts),
      random.pick(texts),
      random.pick(texts),
    );
    const outcome = await outcomeOf(client, 'halfClose', true);
    scene.behind.disarm();
    return armed.hasFired() ? outcome : 'not reached';
  });
  return figures;
}

async function play(
  scene: Scene,
  { seed, cases, first = 0 }: Campaign,
  figures: Figures,
  playCase: (random: Random) => Promise<string>,
): Promise<void> {
  for (let each = first; each < first + cases; each++) {
    if ((each - first) % BETWEEN_LOOKS === 0) await found(scene.watcher, 1, FAMILIES);
    const name = `seed ${seed}, case ${each}`;
    try {
      figures.add(await playCase(new Random(seed * 1_000_003 + each)));
    } catch (error) {
      figures.add('stuck');
      figures.addDefects(name, [String(error)]);
    }
    const logged = scene.proxy.process.newLog();
    if (/"level":"(error|fatal)"/.test(logged)) figures.addDefects(name, [logged]);
    const isLook = (each - first) % BETWEEN_LOOKS === BETWEEN_LOOKS - 1;
    if (isLook || !scene.proxy.process.isAlive) figures.addDefects(`up to ${name}`, await scene.defects());
    if (!scene.proxy.process.isAlive) return;
    // By then it has loaded what it needs, and what is cached is there.
    if (each - first === WARM) await scene.noteMemory();
  }
}

/**
 * @param mayGiveUp whether the server may owe an answer for ever, so that the client leaves at some time
 * @throws where who waits for the end waits for ever
 */
async function outcomeOf(client: Client, departure: Departure, mayGiveUp = false): Promise<string> {
  client.leave(departure);
  if (mayGiveUp && !(await client.isOverWithin(PATIENCE_WITH_SERVER))) {
    client.leave('reset');
    return 'given up';
  }
  await client.untilOver();
  const last = client.messages.at(-1);
  client.leave('close');
  if (departure === 'close' || departure === 'reset') return 'left at once';
  if (last === undefined) return 'ended without a word';
  if (last.type === 'Z') return 'answered';
  return last.type === 'E' ? 'refused' : 'ended in between';
}
