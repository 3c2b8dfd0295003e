/** One client from its login to its goodbye, always in the same bytes: a fault can be put at each of them. */
import { query, run, sync } from '../support/frontend-messages.js';
import { packet, startupPacket } from '../support/raw-client.js';
import { Client } from './client.js';
import { found, leftOf } from './families.js';
import { type Direction, recording } from './faults.js';
import type { Relay } from './relay.js';
import type { Scene } from './scene.js';

const FIRST = 5001;
const FAMILIES = 2;
const SSL_REQUEST = packet(80877103);

interface Step {
  readonly bytes: Buffer;
  /** The family that is gone when it is answered. */
  readonly deletes?: number;
}

/** A DELETE in either protocol, one of them in a block. */
const STEPS: readonly Step[] = [
  { bytes: extended(FIRST), deletes: FIRST },
  { bytes: query('BEGIN') },
  { bytes: query(`DELETE FROM org WHERE id = ${FIRST + 1} RETURNING *`) },
  { bytes: query('COMMIT'), deletes: FIRST + 1 },
];

function extended(org: number): Buffer {
  return Buffer.concat([run('DELETE FROM org WHERE id = $1', [String(org)]), sync]);
}

/** What became of a conversation. */
export interface Course {
  /** How many steps were sent, and how many were answered. */
  readonly asked: number;
  readonly answered: number;
  /** What the client was told, without what is another each time: the key of the session. */
  readonly told: string;
  /** The SQLSTATE with which it ended; undefined where it was told none. */
  readonly error: string | undefined;
}

/** All that went through one connection, by direction. */
export type Record = { readonly [direction in Direction]: Buffer };

export async function prepareConversation(scene: Scene): Promise<void> {
  await found(scene.watcher, FIRST, FAMILIES);
}

/**
 * Goes from answer to answer, as far as it comes.
 * @param givesUp when it is settled, the client has waited long enough
 * @throws where the client waits for ever
 */
export async function converse(scene: Scene, givesUp?: Promise<void>): Promise<Course> {
  const client = new Client(scene.before.port);
  const leave = () => client.leave('reset');
  givesUp?.then(leave, leave);
  client.send(startupPacket({ database: scene.database.name }));
  let asked = 0;
  for (let isAnswered = await client.until('Z'); isAnswered && asked < STEPS.length; ) {
    client.send(STEPS[asked++]?.bytes ?? SSL_REQUEST);
    isAnswered = await client.until('Z', 1 + asked);
  }
  client.leave('goodbye');
  await client.untilOver();
  client.leave('close');
  const answered = Math.max(client.said.split('Z').length - 2, 0);
  const told = client.messages.filter(({ type }) => type !== 'K');
  return {
    asked,
    answered: Math.min(answered, asked),
    told: told.map(({ type, body }) => type + body.toString('latin1')).join(),
    error: client.errors.at(-1),
  };
}

/** What must hold of the rows after it, when nothing of it is open any more. @returns what does not */
export async function defectsOf(scene: Scene, { asked, answered }: Course): Promise<readonly string[]> {
  const left = await leftOf(scene.watcher, FIRST, FAMILIES);
  return STEPS.flatMap(({ deletes }, index) => {
    const state = deletes === undefined ? undefined : (left.get(deletes) ?? 'partial');
    if (state === 'partial') return [`step ${index} was done in part`];
    if (state === 'whole' && index < answered) return [`step ${index} was answered, and nothing done`];
    return state === 'gone' && index >= asked ? [`step ${index} was done before it was asked for`] : [];
  });
}

/** Plays it without a fault, and keeps what went through a relay. */
export async function recorded(
  scene: Scene,
  relay: Relay,
): Promise<{ readonly record: Record; readonly course: Course }> {
  const [first, ...others] = [await play(scene, relay), await play(scene, relay), await play(scene, relay)];
  // When graph.refresh is over, the proxy asks whether the catalog is still the same: the shortest is without that question.
  const size = (record: Record) => record.toServer.length;
  return others.reduce((best, each) => (size(each.record) < size(best.record) ? each : best), first);
}

async function play(scene: Scene, relay: Relay) {
  await prepareConversation(scene);
  const [toServer, toClient]: [Buffer[], Buffer[]] = [[], []];
  relay.arm(recording('toServer', toServer), recording('toClient', toClient));
  const course = await converse(scene);
  await scene.untilNothingIsOpen();
  if (course.answered < STEPS.length) throw new Error(`without a fault the client was told ${course.told}`);
  return { record: { toServer: Buffer.concat(toServer), toClient: Buffer.concat(toClient) }, course };
}
