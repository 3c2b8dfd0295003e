/**
 * Who has long texts read, and when: first come, first served, and each client has one text here at most. Texts of more
 * than a megabyte have a thread of their own, so that others do not wait for them.
 */
import { ProxyError } from '../../errors.js';
import type { Statement } from '../statement/statement.js';
import { type OnCrash, Reader } from './reader.js';

/** In UTF-16 units. */
const VERY_LONG = 1024 * 1024;

export interface LongTextLimits {
  /** What all clients together may have waiting here, in UTF-16 units: one more is refused. */
  readonly waiting: number;
  /** What each of the two threads may use, in MiB. */
  readonly memory: number;
  /** How long one text may take, in milliseconds. */
  readonly time: number;
}

const LIMITS: LongTextLimits = { waiting: 256 * 1024 * 1024, memory: 1024, time: 30_000 };

export class LongTexts {
  readonly #limits: LongTextLimits;
  readonly #long: Lane;
  readonly #veryLong: Lane;
  #waiting = 0;

  constructor(limits: Partial<LongTextLimits> = {}, onCrash: OnCrash = () => {}) {
    this.#limits = { ...LIMITS, ...limits };
    const { memory, time } = this.#limits;
    this.#long = new Lane(new Reader(memory, time, onCrash));
    this.#veryLong = new Lane(new Reader(memory, time, onCrash));
  }

  /**
   * @param encoding the client's, for errors
   * @param isWanted false where the client has gone meanwhile: its text is not read
   * @returns undefined where the text is not what PostgreSQL's grammar knows
   * @throws ProxyError PGC_WAITING where too much waits already, and what Reader.read throws
   */
  async read(
    text: string,
    encoding: string,
    isWanted: () => boolean,
  ): Promise<readonly Statement[] | undefined> {
    const isFull = this.#waiting > 0 && this.#waiting + text.length > this.#limits.waiting;
    if (isFull) throw new ProxyError('PGC_WAITING');
    this.#waiting += text.length;
    try {
      const lane = text.length > VERY_LONG ? this.#veryLong : this.#long;
      return await lane.inTurn(async (reader) => (isWanted() ? reader.read(text, encoding) : undefined));
    } finally {
      this.#waiting -= text.length;
    }
  }

  /** Ends the threads. Texts that wait are refused with PGC_SHUTDOWN. */
  async close(): Promise<void> {
    await Promise.all([this.#long.close(), this.#veryLong.close()]);
  }
}

/** One thread, and those who wait for it. */
class Lane {
  readonly #reader: Reader;
  #last: Promise<unknown> = Promise.resolve();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  inTurn<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => work(this.#reader));
    this.#last = turn.catch(() => {});
    return turn;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
