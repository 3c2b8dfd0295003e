/**
 * Finds out that a client is gone which says nothing any more. A client that has closed its side for writing may still
 * read, and gets its answers (`nc -N`); one that is gone closes it in the same way, and behind more than is read ahead that
 * is not even seen. Only what is sent to it tells: the system of one that is gone refuses it. That is a connection error
 * like any other, and the stream closes.
 */
import type { Duplex } from 'node:stream';
import { parameterStatus } from '../wire/backend.js';
import type { Output } from './server/output.js';
import type { ServerState } from './server/server-state.js';

/** How often it is looked, in milliseconds. An answer that comes before the first time costs nothing. */
const INTERVAL = 250;

export class Presence {
  readonly #client: Duplex;
  readonly #output: Output;
  readonly #state: ServerState;
  readonly #isAwaited: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /** @param isAwaited whether the server is at work for the client, and between two of its messages */
  constructor(client: Duplex, output: Output, state: ServerState, isAwaited: () => boolean) {
    this.#client = client;
    this.#output = output;
    this.#state = state;
    this.#isAwaited = isAwaited;
  }

  watchWhile(isWatched: boolean): void {
    if (isWatched) this.watch();
    else this.stop();
  }

  /** Looks from now on, until `stop`. */
  watch(): void {
    if (this.#timer) return;
    let looks = 0;
    const look = () => {
      if (this.#isAwaited()) {
        // An empty write sends nothing, but fails where what was sent before was refused, or the client has been reset.
        if (isTimeToSpeak(++looks)) this.#speak();
        else this.#client.write('');
      }
      this.#timer = setTimeout(look, INTERVAL).unref();
    };
    this.#timer = setTimeout(look, INTERVAL).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Tells the client a parameter once more: that may come at any time, and nobody minds. One that reads nothing is told once. */
  #speak(): void {
    if (this.#client.writableLength > 0) return void this.#client.write('');
    const name = 'client_encoding';
    this.#output.write(parameterStatus(name, this.#state.parameter(name) ?? 'UTF8'));
    this.#output.flush();
  }
}

/** A client may die at any time: it is told something ever more rarely, and about once a minute in the end. */
function isTimeToSpeak(looks: number): boolean {
  return (looks & (looks - 1)) === 0 || looks % 256 === 0;
}
