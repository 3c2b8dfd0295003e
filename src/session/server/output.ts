import type { Duplex } from 'node:stream';
import type { Message } from '../../wire/reader.js';

/**
 * Writes to one side of a session. Messages that are forwarded as they are and lay side by side when they came go out
 * as one piece, without a copy: a read becomes a write.
 */
export class Output {
  readonly #stream: Duplex;
  #run: Buffer | undefined;
  #start = 0;
  #end = 0;
  #corked = false;
  #closed = false;
  #flushesSoon = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  /** Nothing is written any more; what was gathered is dropped. */
  close(): void {
    this.#closed = true;
    this.#run = undefined;
  }

  forward(message: Message): void {
    if (this.#isClosed) return;
    if (this.#run === message.buffer && this.#end === message.start) {
      this.#end = message.end;
      return;
    }
    this.#endRun();
    this.#run = message.buffer;
    this.#start = message.start;
    this.#end = message.end;
  }

  write(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#endRun();
    this.#push(bytes);
  }

  /** Sends all that was gathered. @returns false when the other side should be read no further until 'drain' */
  flush(): boolean {
    if (this.#closed) return true;
    if (this.#corked) {
      this.#endRun();
      this.#corked = false;
      this.#stream.uncork();
    } else if (this.#run !== undefined) {
      const run = this.#run;
      this.#run = undefined;
      return this.#stream.write(part(run, this.#start, this.#end));
    }
    return !this.#stream.writableNeedDrain;
  }

  /** As `flush`, once for all that is gathered before the event loop goes on: a write costs more than a message. */
  flushSoon(): void {
    if (this.#flushesSoon) return;
    this.#flushesSoon = true;
    setImmediate(() => {
      this.#flushesSoon = false;
      this.flush();
    });
  }

  get #isClosed(): boolean {
    return this.#closed || this.#stream.writableEnded;
  }

  #endRun(): void {
    if (this.#run === undefined) return;
    const run = this.#run;
    this.#run = undefined;
    this.#push(part(run, this.#start, this.#end));
  }

  #push(bytes: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
    }
    this.#stream.write(bytes);
  }
}

/** Makes no Buffer where all bytes of a read are written, as they mostly are: making one costs more than writing a small message. */
function part(bytes: Buffer, start: number, end: number): Buffer {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}
