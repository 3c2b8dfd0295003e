import type { Duplex } from 'node:stream';

/** Milliseconds between two looks whether a client is gone. */
const LOOK = 250;

/** Listeners that are taken off together: the streams of a login go on to a session, which has its own. */
export class Listening {
  readonly #off: (() => void)[] = [];

  to(stream: Duplex, event: string, listener: (chunk: Buffer) => void): void {
    stream.on(event, listener);
    this.#off.push(() => stream.off(event, listener));
  }

  /**
   * Sees it when a client is reset of which nothing more is read: it has closed its side, or sent more than is read ahead. Its
   * stream closes then.
   */
  forReset(client: { touch(): void }): void {
    const timer = setInterval(() => client.touch(), LOOK).unref();
    this.#off.push(() => clearInterval(timer));
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off();
  }
}
