import type { Message } from './reader.js';

/** Reads a message from its front to its end; beyond its end everything is empty or zero, and `isEnd` never true. */
export class Cursor {
  readonly #message: Message;
  #at: number;

  constructor(message: Message) {
    this.#message = message;
    this.#at = message.start + 5;
  }

  get position(): number {
    return this.#at;
  }

  /** Whether more was read than there is. */
  get isBeyond(): boolean {
    return this.#at > this.#message.end;
  }

  /** Whether everything was read, and nothing is missing. */
  get isEnd(): boolean {
    return this.#at === this.#message.end;
  }

  /** Up to the next zero. */
  string(): Buffer {
    const { buffer, end } = this.#message;
    const zero = this.#at < end ? buffer.indexOf(0, this.#at) : -1;
    if (zero < 0 || zero >= end) return this.#take(Number.POSITIVE_INFINITY);
    const bytes = buffer.subarray(this.#at, zero);
    this.#at = zero + 1;
    return bytes;
  }

  int8(): number {
    return this.#take(1)[0] ?? 0;
  }

  int16(): number {
    return this.#number(2);
  }

  int32(): number {
    return this.#number(4) | 0;
  }

  /** A length and so many bytes; the length of NULL is -1. */
  value(): Buffer | null {
    const length = this.int32();
    return length === -1 ? null : this.#take(length < 0 ? Number.POSITIVE_INFINITY : length);
  }

  /** An Int16, and so many items. */
  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.int16(); left > 0 && this.#at <= this.#message.end; left--) items.push(item());
    return items;
  }

  #number(size: number): number {
    const bytes = this.#take(size);
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0;
  }

  #take(size: number): Buffer {
    const { buffer, end } = this.#message;
    const from = this.#at;
    this.#at += size;
    return this.#at <= end ? buffer.subarray(from, this.#at) : NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
