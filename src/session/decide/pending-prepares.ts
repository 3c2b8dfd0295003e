/**
 * Executions of PREPARE, DEALLOCATE and DISCARD ALL that the server has not answered yet: until it has, the proxy does not know
 * what the names of prepared statements stand for. (What Parse and Close do to names is entered when they are sent.)
 */

import type { Treatment } from '../../rewrite/statement/treatment.js';
import { write } from '../../wire/frontend.js';
import type { Output } from '../server/output.js';

export class PendingPrepares {
  readonly #server: Output;
  #unanswered = 0;
  #waiting: (() => void)[] = [];

  constructor(server: Output) {
    this.#server = server;
  }

  /** Whether all of them are answered. */
  get areKnown(): boolean {
    return this.#unanswered === 0;
  }

  /** These statements are sent. @returns what the caller has to call when the server has answered or skipped them */
  begin(treatments: readonly Treatment[]): () => void {
    if (!treatments.some(({ kind }) => kind === 'prepare' || kind === 'release')) return () => {};
    this.#unanswered++;
    let answered = false;
    return () => {
      if (answered) return;
      answered = true;
      this.#unanswered--;
      if (this.areKnown) for (const go of this.#waiting.splice(0)) go();
    };
  }

  /** Has the server send its answers, and waits until all of them are here. */
  answered(): Promise<void> {
    this.#server.write(write.flush());
    this.#server.flush();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
