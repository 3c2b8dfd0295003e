/** Somebody who looks all the while, on a connection of its own, whether a row references one that is gone. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../support/scratch-database.js';

/** Between two looks, in milliseconds: whoever asks without one keeps a processor from what is looked at. */
const PAUSE = 1;

export class Looker {
  readonly #database: Database;
  readonly #sql: string;
  #isOver = false;
  #looks = 0;
  #orphans = 0;
  #done: Promise<void> = Promise.resolve();

  private constructor(database: Database, sql: string) {
    this.#database = database;
    this.#sql = sql;
  }

  /** @param sql gives one row with one number, how many orphans there are; all of it sees the same moment */
  static begin(database: Database, sql: string): Looker {
    const looker = new Looker(database, sql);
    looker.#done = looker.#look();
    return looker;
  }

  /** How often it has looked. */
  get looks(): number {
    return this.#looks;
  }

  /** Ends it, with a last look. @returns the most orphans that it has seen at once */
  async end(): Promise<number> {
    this.#isOver = true;
    await this.#done;
    return this.#orphans;
  }

  async #look(): Promise<void> {
    for (let isLast = false; !isLast; ) {
      // A server that was killed serves again after a while.
      const client = await this.#database.connect().catch(() => undefined);
      if (client === undefined) continue;
      try {
        do {
          isLast = this.#isOver;
          const { rows } = await client.query({ text: this.#sql, rowMode: 'array' });
          this.#looks++;
          await pause(PAUSE);
          this.#orphans = Math.max(this.#orphans, Number(rows[0]?.[0]));
        } while (!isLast);
      } catch (error) {
        if (!isEnd(error)) throw error;
        isLast = false;
      }
      await client.end();
    }
  }
}

/**
 * The server has ended, or ends, or starts again: class 57 of its errors, or none at all. Or it has given up this look for a TRUNCATE
 * that puts the rows of the next case in, and has some of the tables already (40P01): the next look is as good.
 */
function isEnd(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '57P';
  return /^(?:57P|40P01|E[A-Z]+)/.test(code);
}
