/**
 * Finds out that a client is gone which says nothing any more. A client that has closed its side for writing may still
 * read, and gets its answers (`nc -N`); one that is gone closes it in the same way. Only what is sent to it tells: the
 * system of one that is gone refuses it. That is a connection error like any other, and the stream closes.
 */
import type { Duplex } from 'node:stream';

/** How often it is looked, in milliseconds. An answer that comes before the first time costs nothing. */
const INTERVAL = 250;

export class Presence {
  readonly #client: Duplex;
  readonly #isAwaited: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param isAwaited whether the server is at work for the client */
  constructor(client: Duplex, isAwaited: () => boolean) {
    this.#client = client;
    this.#isAwaited = isAwaited;
  }

  /**
   * Looks from now on, until `stop`.
   * @param speak sends the client something that it does not mind. @returns false where it has to be asked later
   */
  watch(speak: () => boolean): void {
    if (this.#timer) return;
    let spoken = false;
    const look = () => {
      // An empty write sends nothing, but fails where what was sent before has been refused.
      if (this.#isAwaited()) {
        if (spoken) this.#client.write('');
        else spoken = speak();
      }
      this.#timer = setTimeout(look, INTERVAL).unref();
    };
    this.#timer = setTimeout(look, INTERVAL).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
