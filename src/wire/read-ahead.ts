/** What a client has sent and nobody has read yet: so many bytes are taken from its socket, that its end is seen. */
import { Frontend } from './types.js';

/** So many bytes are read that cannot be taken yet. The end of a client that dies is not seen before they are read. */
const READ_AHEAD = 64 * 1024;
/** Smaller pieces are put together: each costs an object of its own. */
const SMALL_PIECE = 4096;

export class ReadAhead {
  #pieces: Buffer[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether no more should be read from the client for now. */
  get isFull(): boolean {
    return this.#size >= READ_AHEAD;
  }

  push(chunk: Buffer): void {
    const last = this.#pieces.at(-1);
    if (last && last.length + chunk.length <= SMALL_PIECE)
      this.#pieces[this.#pieces.length - 1] = Buffer.concat([last, chunk]);
    else this.#pieces.push(chunk);
    this.#size += chunk.length;
  }

  /** The oldest piece, which is given once. */
  shift(): Buffer | undefined {
    const piece = this.#pieces.shift();
    this.#size -= piece?.length ?? 0;
    return piece;
  }

  /** All of it, after what came before it. */
  after(unread: Buffer): Buffer {
    return this.#size === 0 ? unread : Buffer.concat([unread, ...this.#pieces]);
  }

  clear(): void {
    this.#pieces = [];
    this.#size = 0;
  }
}

/**
 * Whether a Terminate is among the messages in `bytes`: then the client wants what stands before it.
 * @param from where the first message begins
 */
export function saysGoodbye(bytes: Buffer, from: number): boolean {
  for (let at = from; at + 5 <= bytes.length; at += 1 + bytes.readUInt32BE(at + 1))
    if (bytes[at] === Frontend.Terminate) return true;
  return false;
}
