/** What can go wrong on the way: at a byte of a direction, or to one of its messages. */
import type { Random } from './random.js';

export type Direction = 'toServer' | 'toClient';

/** What befalls a direction. */
export type Mishap =
  /** What comes after it is held back until something has come to pass. */
  | { readonly kind: 'hold'; readonly until: () => Promise<void> }
  /** Both connections are reset. */
  | { readonly kind: 'reset' }
  /** The direction ends, the other one does not. */
  | { readonly kind: 'halfClose' }
  /** From here on nothing gets through, in this direction. */
  | { readonly kind: 'stall' }
  /** Bytes that nobody has sent. */
  | { readonly kind: 'garbage'; readonly bytes: Buffer };

/** What a relay does with what has come: passes bytes on, as a packet of their own, or something worse. */
export type Step = Buffer | Mishap;

/** Is given all bytes of one direction, chunk by chunk. */
export type Transform = (bytes: Buffer) => readonly Step[];

export interface Fault {
  readonly direction: Direction;
  readonly name: string;
  /** @param fired is to be called when the fault comes to pass */
  begin(fired: () => void): Transform;
}

/** @param offset how many bytes go through before it */
export function atByte(direction: Direction, offset: number, mishap: Mishap): Fault {
  return {
    direction,
    name: `${mishap.kind} ${direction} at byte ${offset}`,
    begin(fired) {
      let position = 0;
      let hasFired = false;
      return (bytes) => {
        const at = offset - position;
        position += bytes.length;
        if (hasFired || at > bytes.length) return [bytes];
        hasFired = true;
        fired();
        return [bytes.subarray(0, at), mishap, bytes.subarray(at)];
      };
    },
  };
}

/** No fault: all that goes through is kept. */
export function recording(direction: Direction, bytes: Buffer[]): Fault {
  const keep: Transform = (chunk) => {
    bytes.push(chunk);
    return [chunk];
  };
  return { direction, name: `recording ${direction}`, begin: () => keep };
}

export type Change = 'drop' | 'duplicate' | 'corrupt' | 'insert' | 'shorten' | 'lie' | 'swap';
export const CHANGES: readonly Change[] = [
  'drop',
  'duplicate',
  'corrupt',
  'insert',
  'shorten',
  'lie',
  'swap',
];

/** One of a server's messages does not come as it was sent. @param index counted from the first of the connection */
export function toMessage(index: number, change: Change, random: Random): Fault {
  return {
    direction: 'toClient',
    name: `${change} message ${index}`,
    begin(fired) {
      let count = 0;
      let held: Buffer = Buffer.alloc(0);
      let unread: Buffer = Buffer.alloc(0);
      return (bytes) => {
        unread = Buffer.concat([unread, bytes]);
        const steps: Buffer[] = [];
        for (let size = sizeOf(unread); size !== undefined; size = sizeOf(unread)) {
          const message = unread.subarray(0, size);
          unread = unread.subarray(size);
          const isMeant = count++ === index;
          if (isMeant) fired();
          if (!isMeant) steps.push(message);
          else if (change === 'swap') held = message;
          else steps.push(...changed(message, change, random));
          // What was held back comes after the next one.
          if (!isMeant && held.length > 0) {
            steps.push(held);
            held = Buffer.alloc(0);
          }
        }
        return steps;
      };
    },
  };
}

/** @returns undefined where the first message is not whole */
function sizeOf(bytes: Buffer): number | undefined {
  if (bytes.length < 5) return undefined;
  const size = 1 + bytes.readUInt32BE(1);
  return bytes.length < size ? undefined : size;
}

function changed(message: Buffer, change: Exclude<Change, 'swap'>, random: Random): readonly Buffer[] {
  switch (change) {
    case 'drop':
      return [];
    case 'duplicate':
      return [message, message];
    case 'corrupt':
      return [corrupted(message, 1 + random.below(4), random)];
    case 'insert':
      return [anyBackendMessage(random), message];
    case 'shorten': {
      const shorter = Buffer.from(message.subarray(0, 5 + random.below(Math.max(message.length - 5, 1))));
      shorter.writeUInt32BE(shorter.length - 1, 1);
      return [shorter];
    }
    case 'lie': {
      const lying = Buffer.from(message);
      lying.writeUInt32BE(random.pick([0, 3, 4, 5, message.length + 3, 0x7fffffff, 0xffffffff]), 1);
      return [lying];
    }
  }
}

/** @param count how many bytes become others */
export function corrupted(bytes: Buffer, count: number, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = 0; i < count && copy.length > 0; i++) copy[random.below(copy.length)] = random.below(256);
  return copy;
}

/** A message of any type that servers send, with a content that is anything. */
function anyBackendMessage(random: Random): Buffer {
  const type = random.pick([...'RK23CWdcGHDIEVvnNAtS1sZT']);
  const body = random.once(2) ? random.bytes(random.below(12)) : random.pick(PLAUSIBLE);
  const head = Buffer.from(`${type}\0\0\0\0`, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Contents of some messages: of ReadyForQuery, of a row, of an error, of a tag. */
const PLAUSIBLE: readonly Buffer[] = [
  'I',
  'T',
  'E',
  '\0\x01\0\0\0\x01t',
  'SERROR\0C57014\0Mno\0\0',
  'DELETE 1\0',
  '',
].map((text) => Buffer.from(text, 'latin1'));
