/**
 * Cuts a byte stream into protocol messages, however the bytes arrive: split anywhere, or many in one read.
 *
 * After startup every message is a type byte and a length that counts itself but not the type
 * (https://www.postgresql.org/docs/18/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS).
 */

import { Block } from './block.js';

/** Bytes that are not a PostgreSQL message: the connection cannot be trusted any further. SQLSTATE 08P01. */
export class ProtocolViolation extends Error {}

/** Bytes that PostgreSQL itself takes for no message (SocketBackend in postgres.c, pq_getmessage in pqcomm.c). */
export class FramingLost extends ProtocolViolation {}

/** What `next` found: a whole message, or a piece of one that is passed on as it comes. */
export interface Message {
  /** The type byte. */
  readonly type: number;
  /** Holds the message; for a whole message header included. Valid until the next `next`: copy what is kept. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** False for pieces but the last one of a streamed message. */
  readonly last: boolean;
}

const HEADER = 5;
const NOTHING: Buffer = Buffer.alloc(0);

interface Mutable {
  type: number;
  buffer: Buffer;
  start: number;
  end: number;
  last: boolean;
}

export class MessageReader {
  readonly #streamed: (type: number) => boolean;
  readonly #known: ReadonlySet<number>;
  readonly #longest: (type: number) => number;
  readonly #limit: number;
  /** The newest bytes, and how far they are read. */
  #buffer = NOTHING;
  #at = 0;
  /** The bytes so far of a message that is not whole yet, and how many bytes the message needs. */
  readonly #held = new Block();
  #needed = 0;
  /** Bytes still to come of a message that is passed on in pieces. */
  #streaming = 0;
  /** One object for all messages: the relay handles each before it asks for the next, and makes no garbage. */
  readonly #message: Mutable = { type: 0, buffer: NOTHING, start: 0, end: 0, last: true };

  /**
   * @param known the types that may occur; another is a violation
   * @param streamed whether messages of this type are given in pieces as they arrive, as nobody reads their content now
   * @param limit the largest length field allowed, in bytes
   * @param longest the largest length field that PostgreSQL allows for a type, where its limits matter
   */
  constructor(
    known: ReadonlySet<number>,
    streamed: (type: number) => boolean,
    limit: number,
    longest: (type: number) => number = () => limit,
  ) {
    this.#longest = longest;
    this.#known = known;
    this.#streamed = streamed;
    this.#limit = limit;
  }

  /** Gives the reader what was just received. Everything pushed before must have been read by `next`. */
  push(chunk: Buffer): void {
    this.#at = 0;
    if (this.#held.size === 0) {
      this.#buffer = chunk;
    } else if (this.#held.size + chunk.length < this.#needed) {
      this.#held.append(chunk, this.#needed);
      this.#buffer = NOTHING;
    } else {
      this.#buffer = Buffer.concat([this.#held.bytes, chunk]);
      this.#held.clear();
    }
  }

  /** Whether some pieces of a message were given, but not its last one. */
  get midway(): boolean {
    return this.#streaming > 0;
  }

  /** How many bytes are still to come of the message of which pieces were given. */
  get missing(): number {
    return this.#streaming;
  }

  /** The type of the next message, where its first byte has arrived. */
  get nextType(): number | undefined {
    return this.#streaming > 0 ? undefined : this.unread[0];
  }

  /**
   * How many bytes of memory hold what was not given yet: at most twice what has arrived, whatever length a message
   * declares, and however small its pieces are.
   */
  get buffered(): number {
    return this.#held.memory + this.#buffer.length - this.#at;
  }

  /**
   * The next message, or undefined when more bytes are needed.
   * @throws FramingLost for an unknown type, a length under 4 or one that PostgreSQL does not take
   * @throws ProtocolViolation for a length over the limit
   */
  next(): Message | undefined {
    const message = this.#message;
    const available = this.#buffer.length - this.#at;
    if (available === 0) return this.#release();
    if (this.#streaming > 0) return this.#piece(Math.min(available, this.#streaming));
    const type = this.#buffer[this.#at] ?? 0;
    if (!this.#known.has(type)) throw new FramingLost(`unknown message type 0x${hex(type)}`);
    if (available < HEADER) return this.#keep(HEADER);

    const length = this.#buffer.readUInt32BE(this.#at + 1);
    if (length < 4 || length > this.#longest(type)) throw new FramingLost(invalidLength(type, length));
    if (length > this.#limit) throw new ProtocolViolation(invalidLength(type, length));

    const size = length + 1;
    message.type = type;
    if (available < size && this.#streamed(type)) {
      this.#streaming = size;
      return this.#piece(available);
    }
    if (available < size) return this.#keep(size);
    message.buffer = this.#buffer;
    message.start = this.#at;
    message.end = this.#at += size;
    message.last = true;
    return message;
  }

  /** What was pushed and not given: from the beginning of the next message on, or inside of one that is given in pieces. */
  get unread(): Buffer {
    return this.#held.size > 0 ? this.#held.bytes : this.#buffer.subarray(this.#at);
  }

  /** All was given: an idle connection keeps none of it. */
  #release(): undefined {
    this.#buffer = NOTHING;
    this.#message.buffer = NOTHING;
    this.#at = 0;
    return undefined;
  }

  #piece(size: number): Message {
    const message = this.#message;
    this.#streaming -= size;
    message.buffer = this.#buffer;
    message.start = this.#at;
    message.end = this.#at += size;
    message.last = this.#streaming === 0;
    return message;
  }

  #keep(needed: number): undefined {
    this.#held.append(this.#buffer.subarray(this.#at));
    this.#needed = needed;
    this.#buffer = NOTHING;
    this.#at = 0;
    return undefined;
  }
}

function invalidLength(type: number, length: number): string {
  return `invalid length ${length} of message type "${String.fromCharCode(type)}"`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
