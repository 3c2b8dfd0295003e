/** Work that many callers need and one does: the others wait until it is done. */

export class SingleFlight {
  readonly #taken = new Map<string, Promise<void>>();
  readonly #patience: number;

  /** @param patience milliseconds: a caller that has waited for so long does the work as well */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /**
   * Waits until the work is done, or no other caller is doing it.
   * @param isDone asked before each wait
   * @returns undefined where it is done; else it is the caller's turn, and what it calls when it has ended in whatever way
   */
  async take(key: string, isDone: () => boolean): Promise<(() => void) | undefined> {
    for (;;) {
      if (isDone()) return undefined;
      const others = this.#taken.get(key);
      if (others === undefined || !(await this.#ends(others))) break;
    }
    return this.#begin(key);
  }

  #begin(key: string): () => void {
    let end = () => {};
    const work = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#taken.set(key, work);
    return () => {
      if (this.#taken.get(key) === work) this.#taken.delete(key);
      end();
    };
  }

  /** @returns false where it takes too long */
  async #ends(work: Promise<void>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#patience);
    });
    const inTime = await Promise.race([work.then(() => true), late]);
    clearTimeout(timer);
    return inTime;
  }
}
