/** Round trips that many callers wait for: those who come while one is under way share the next, which has not begun. */
export class Rounds {
  readonly #trip: () => Promise<void>;
  #begun = 0;
  #ended = 0;
  #running: Promise<void> | undefined;

  /** @param trip makes one round trip, and never throws */
  constructor(trip: () => Promise<void>) {
    this.#trip = trip;
  }

  /** How many have begun: what a later one learns is not older than the moment at which this was read. */
  get begun(): number {
    return this.#begun;
  }

  /** Fulfilled when one has ended that began after so many. */
  async after(begun: number): Promise<void> {
    while (this.#ended <= begun) {
      this.#running ??= this.#run();
      await this.#running;
    }
  }

  async #run(): Promise<void> {
    const round = ++this.#begun;
    await this.#trip();
    this.#ended = round;
    this.#running = undefined;
  }
}
