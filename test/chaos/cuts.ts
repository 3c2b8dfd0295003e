/** Connections of a conversation are cut or half-closed, at each of its bytes, on either side of the proxy, and have mishaps at each message. */
import { converse, defectsOf, prepareConversation, type Record, recorded } from './conversation.js';
import { atByte, type Direction, type Fault, type Mishap } from './faults.js';
import { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

type Leg = 'before' | 'behind';
const LEGS: readonly Leg[] = ['before', 'behind'];
const DIRECTIONS: readonly Direction[] = ['toServer', 'toClient'];

const KINDS = ['split', 'delay', 'reset', 'halfClose', 'stall', 'garbage'] as const;
type Kind = (typeof KINDS)[number];

/** Cases between two looks at what must hold. */
const BETWEEN_LOOKS = 50;
/** Has no divisor in common with the number of cases, unless that is a multiple of it: a part of the cases is spread over all. */
const STRIDE = 7919;
const MOST_GARBAGE = 40;

interface Planned {
  readonly leg: Leg;
  readonly fault: Fault;
  /** Whether the client must not notice. */
  readonly isHarmless: boolean;
  /** Whether the client may be left without an answer: of garbage the beginning may say that much more comes. */
  readonly maySilence: boolean;
}

/** Both connections are reset: after every byte of either, in both directions. */
export function cut(scene: Scene, campaign: Campaign): Promise<Figures> {
  return atEachByte(scene, new Figures('cuts'), campaign, { kind: 'reset' });
}

/** One direction ends (FIN), and the other does not: after every byte of either connection. What comes later is lost. */
export function halfClose(scene: Scene, campaign: Campaign): Promise<Figures> {
  return atEachByte(scene, new Figures('half-closes'), campaign, { kind: 'halfClose' });
}

async function atEachByte(
  scene: Scene,
  figures: Figures,
  campaign: Campaign,
  mishap: Mishap,
): Promise<Figures> {
  const records = await recordBoth(scene);
  const planned = LEGS.flatMap((leg) =>
    DIRECTIONS.flatMap((direction) =>
      Array.from({ length: records[leg][direction].length + 1 }, (_, offset): Planned => {
        const fault = atByte(direction, offset, mishap);
        return { leg, fault, isHarmless: false, maySilence: false };
      }),
    ),
  );
  return await playAll(scene, figures, campaign, planned, '');
}

/** Every message between the proxy and its server. */
export async function disturb(scene: Scene, campaign: Campaign): Promise<Figures> {
  const { record, course } = await recorded(scene, scene.behind);
  const random = new Random(campaign.seed);
  const planned = DIRECTIONS.flatMap((direction) => {
    const starts = startsOf(record[direction], direction);
    return starts.flatMap((start, index) =>
      KINDS.map((kind): Planned => {
        const end = starts[index + 1] ?? record[direction].length;
        const offset = kind === 'split' ? start + 1 + random.below(end - start - 1) : start;
        const mishap = mishapOf(kind, scene, random);
        const isHarmless = mishap.kind === 'hold';
        return {
          leg: 'behind',
          fault: atByte(direction, offset, mishap),
          isHarmless,
          maySilence: kind === 'stall' || kind === 'garbage',
        };
      }),
    );
  });
  return await playAll(scene, new Figures('mishaps'), campaign, planned, course.told);
}

function mishapOf(kind: Kind, scene: Scene, random: Random): Mishap {
  switch (kind) {
    // When others were answered, the proxy has read what came before, too.
    case 'split':
      return { kind: 'hold', until: () => scene.sideAnswers() };
    case 'delay':
      return {
        kind: 'hold',
        until: () => sideAnswersOften(scene),
      };
    case 'garbage':
      return { kind, bytes: random.bytes(1 + random.below(MOST_GARBAGE)) };
    default:
      return { kind };
  }
}

async function sideAnswersOften(scene: Scene): Promise<void> {
  for (let each = 0; each < 5; each++) await scene.sideAnswers();
}

async function recordBoth(scene: Scene): Promise<{ readonly [leg in Leg]: Record }> {
  const before = await recorded(scene, scene.before);
  const behind = await recorded(scene, scene.behind);
  return { before: before.record, behind: behind.record };
}

/** Where messages begin. Only that which opens the connection has no type before its length. */
function startsOf(bytes: Buffer, direction: Direction): readonly number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    starts.push(at);
    const hasType = direction === 'toClient' || at > 0;
    at += hasType ? 1 + bytes.readUInt32BE(at + 1) : bytes.readUInt32BE(at);
  }
  return starts;
}

async function playAll(
  scene: Scene,
  figures: Figures,
  { seed, cases, first = 0 }: Campaign,
  planned: readonly Planned[],
  toldWithout: string,
): Promise<Figures> {
  const last = Math.min(first + cases, planned.length);
  for (let each = first; each < last; each++) {
    const chosen = planned[(seed + each * STRIDE) % planned.length];
    if (!chosen) break;
    const name = `seed ${seed}, case ${each}, ${chosen.leg} the proxy, ${chosen.fault.name}`;
    try {
      figures.add(await played(scene, chosen, toldWithout, (defect) => figures.addDefects(name, [defect])));
    } catch (error) {
      figures.add('stuck');
      figures.addDefects(name, [String(error)]);
    }
    const isLook = (each - first) % BETWEEN_LOOKS === BETWEEN_LOOKS - 1 || each === last - 1;
    if (isLook || !scene.proxy.process.isAlive) figures.addDefects(`up to ${name}`, await scene.defects());
    if (!scene.proxy.process.isAlive) break;
  }
  return figures;
}

async function played(
  scene: Scene,
  { leg, fault, isHarmless, maySilence }: Planned,
  toldWithout: string,
  defect: (text: string) => void,
): Promise<string> {
  await prepareConversation(scene);
  const armed = scene[leg].arm(fault);
  const othersAnswered = maySilence ? armed.fired.then(() => sideAnswersOften(scene)) : undefined;
  const course = await converse(scene, othersAnswered);
  scene[leg].disarm();
  if (armed.hasFired()) await othersAnswered;
  await (maySilence ? scene.untilNothingIsOpen() : scene.untilNothingIsOpenSoon());
  for (const each of await defectsOf(scene, course)) defect(each);
  if (!armed.hasFired()) return 'not reached';
  if (isHarmless) {
    if (course.told !== toldWithout) defect(`the client was told ${JSON.stringify(course.told)}`);
    return 'not noticed';
  }
  return `${course.answered} of ${course.asked} answered${course.error ? `, then ${course.error}` : ''}`;
}
