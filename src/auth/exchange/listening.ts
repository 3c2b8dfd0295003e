import type { Duplex } from 'node:stream';

/** Listeners that are taken off together: the streams of a login go on to a session, which has its own. */
export class Listening {
  readonly #off: (() => void)[] = [];

  to(stream: Duplex, event: string, listener: (chunk: Buffer) => void): void {
    stream.on(event, listener);
    this.#off.push(() => stream.off(event, listener));
  }

  stop(): void {
    for (const off of this.#off.splice(0)) off();
  }
}
