/** Bounds what is logged of a client that does the same again and again. */

/** The same is told once in so many milliseconds, of so many different ones. */
const WINDOW = 60_000;
const MOST_DIFFERENT = 100;

export class Repeats {
  readonly #told = new Map<string, { readonly since: number; untold: number }>();
  readonly #now: () => number;

  /** @param now the time in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns how often it was not told since it was told last; undefined where it is not told now either */
  tell(what: string): number | undefined {
    const now = this.#now();
    const known = this.#told.get(what);
    if (known && now - known.since < WINDOW) {
      known.untold++;
      return undefined;
    }
    this.#told.delete(what);
    if (this.#told.size >= MOST_DIFFERENT) this.#forgetOld(now);
    if (this.#told.size >= MOST_DIFFERENT) return undefined;
    this.#told.set(what, { since: now, untold: 0 });
    return known?.untold ?? 0;
  }

  #forgetOld(now: number): void {
    for (const [what, { since }] of this.#told) if (now - since >= WINDOW) this.#told.delete(what);
  }
}
