/** Lines to a file or to standard output, in their order and without holding up the event loop. What waits is bounded. */
import { access, constants, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes that may wait to be written. */
const MOST_WAITING = 16 * 1024 * 1024;
/** Milliseconds until it is tried again after a failure. */
const RETRY = 1000;
/** Milliseconds for what waits at the end. */
const LAST = 5000;

const NOTHING = Buffer.alloc(0);
const LINE_END = 0x0a;

/** Where the lines go. */
export interface LineTarget {
  /** Equal for two that write to one file, under whatever name. */
  readonly place: string;
  /** @returns how many bytes it has written: the rest comes again. Rejects with the system's error, such as ENOSPC, where it is none. */
  write(text: Buffer): Promise<number>;
  close(): Promise<void>;
}

/** How well the writing goes. */
export interface WriterEvents {
  /** It failed, and is tried again. Told once, until it goes well. */
  failed(error: unknown): void;
  /** It goes well again. */
  recovered(): void;
  /** Lines were given up: too many wait, or they could not be written to the end. */
  lost(): void;
}

export class LineWriter {
  readonly #open: () => Promise<LineTarget>;
  readonly #events: WriterEvents;
  #target: LineTarget | undefined;
  /** Lines, the first of them perhaps written in part. */
  #waiting: Buffer[] = [];
  #bytes = 0;
  /** What is written of a line of which the rest waits. */
  #begun: Buffer = NOTHING;
  #writing: Promise<void> | undefined;
  #isFailing = false;
  /** It was to be opened anew, and could not be: till then what is written goes to where it went. */
  #isOutdated = false;
  #isClosed = false;
  #opening: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;

  /** @param open opens the place where the lines go, at once and whenever `reopen` is called */
  constructor(open: () => Promise<LineTarget>, events: WriterEvents) {
    this.#open = open;
    this.#events = events;
  }

  /** @throws the system's error where it cannot be opened */
  async start(): Promise<void> {
    this.#target = await this.#open();
  }

  /** Whether the next line is going to be written, as far as is known. */
  get isWell(): boolean {
    return !this.#isFailing && this.#bytes < MOST_WAITING;
  }

  /** Takes a line, without its end. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.#bytes + bytes.length > MOST_WAITING) {
      this.#events.lost();
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#go();
  }

  /** Opens the file anew, after what waits: whoever rotates it has moved it away. Where it cannot be opened it is tried again. */
  reopen(): Promise<void> {
    clearTimeout(this.#retry);
    this.#opening = this.#opening.then(() => this.#openAnew());
    return this.#opening;
  }

  /** Writes what waits, and closes. What cannot be written within some seconds is lost. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#opening;
    const end = Date.now() + LAST;
    while (this.#bytes > 0 && Date.now() < end) {
      this.#go();
      await this.#writing;
      if (this.#isFailing) break;
    }
    if (this.#bytes > 0) this.#events.lost();
    await this.#target?.close();
  }

  async #openAnew(): Promise<void> {
    await this.#writing;
    if (this.#isClosed) return;
    const old = this.#target;
    try {
      this.#target = await this.#open();
      if (this.#target.place !== old?.place) this.#beginAgain();
      await old?.close();
    } catch (error) {
      this.#fail(error);
    }
    this.#isOutdated = this.#target === old;
    // Where no line waits, none shows that it goes well: and where lines are required, none may come before that.
    if (this.#waiting.length === 0) this.#wentWell();
    this.#go();
  }

  /** A line that a full disk has cut stands whole in the next file: its halves in two files would be no line in either. */
  #beginAgain(): void {
    if (this.#begun.length === 0) return;
    this.#waiting.unshift(this.#begun);
    this.#bytes += this.#begun.length;
    this.#begun = NOTHING;
  }

  #go(): void {
    if (this.#writing || this.#waiting.length === 0 || this.#target === undefined) return;
    this.#writing = this.#writeSome(this.#target).finally(() => {
      this.#writing = undefined;
      if (!this.#isFailing) this.#go();
    });
  }

  async #writeSome(target: LineTarget): Promise<void> {
    const all = Buffer.concat(this.#waiting);
    this.#waiting = [all];
    let written: number;
    try {
      written = await target.write(all);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const rest = all.subarray(written);
    const done = all.subarray(0, written);
    this.#begun = done.includes(LINE_END) ? lastLine(done) : Buffer.concat([this.#begun, done]);
    this.#waiting = [...(rest.length > 0 ? [rest] : []), ...this.#waiting.slice(1)];
    this.#bytes -= written;
    this.#wentWell();
  }

  #wentWell(): void {
    if (!this.#isFailing || this.#isOutdated) return;
    this.#events.recovered();
    this.#isFailing = false;
  }

  #fail(error: unknown): void {
    if (!this.#isFailing) this.#events.failed(error);
    this.#isFailing = true;
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => (this.#isOutdated ? void this.reopen() : this.#go()), RETRY).unref();
  }
}

/** A file that lines are appended to; it is made where there is none, for its owner alone to read. */
export async function fileTarget(path: string): Promise<LineTarget> {
  const file = await open(path, 'a', 0o600);
  const { dev, ino } = await file.stat();
  return {
    place: `${dev} ${ino}`,
    write: async (text) => (await file.write(text)).bytesWritten,
    close: () => file.close(),
  };
}

/** Looks whether `fileTarget` could open a file, and makes none. @throws the system's error where it could not */
export async function checkFile(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return access(dirname(path), constants.W_OK | constants.X_OK);
  }
  // A pipe is not opened: that would wait for its reader.
  if ((await stat(path)).isDirectory()) await open(path, 'a');
}

/** Standard output, which stays open. */
export async function outputTarget(output: NodeJS.WritableStream): Promise<LineTarget> {
  return {
    place: 'output',
    write: (text) =>
      new Promise((resolve, reject) => {
        output.write(text, (error) => (error ? reject(error) : resolve(text.length)));
      }),
    close: async () => {},
  };
}

/** What stands after the last end of a line: a copy, as the rest may be large. */
function lastLine(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(bytes.lastIndexOf(LINE_END) + 1));
}
