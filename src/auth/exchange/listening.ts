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
   * Sees it when a client is reset that has closed its side: of such a stream nobody reads any more, which would tell. An empty write
   * sends nothing, and fails then, so that the stream closes.
   */
  forReset(client: Duplex): void {
    const timer = setInterval(() => client.write(''), LOOK).unref();
    this.#off.push(() => clearInterval(timer));
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off();
  }
}
