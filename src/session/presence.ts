/**
 * Finds out whether a client that sends nothing any more is gone. Reading does not tell: a client that has closed its side for
 * writing may still read, and gets its answers (`nc -N`), while one that is gone has closed it in the same way; and the end of
 * a client that has sent more than is read ahead is not even seen. Writing tells: the operating system of a client that is gone
 * refuses what is sent to it. That is a connection error like any other, and the stream closes.
 */
import type { Duplex } from 'node:stream';
import type { Touched } from '../auth/client-transport.js';
import { parameterStatus } from '../wire/backend.js';
import type { Output } from './server/output.js';
import type { ServerState } from './server/server-state.js';

/** The time between two looks, in milliseconds. An answer that comes before the first look costs nothing. */
const INTERVAL = 250;

export class Presence {
  readonly #client: Duplex;
  readonly #connection: Touched;
  readonly #output: Output;
  readonly #state: ServerState;
  readonly #isAwaited: () => boolean;
  readonly #mayBeTold: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param connection that of the client
   * @param isAwaited whether the server is at work for the client
   * @param mayBeTold whether the client is between two messages of the server's, and not inside of one
   */
  constructor(
    client: Duplex,
    connection: Touched,
    output: Output,
    state: ServerState,
    isAwaited: () => boolean,
    mayBeTold: () => boolean,
  ) {
    this.#client = client;
    this.#connection = connection;
    this.#output = output;
    this.#state = state;
    this.#isAwaited = isAwaited;
    this.#mayBeTold = mayBeTold;
  }

  /** Looks from now on, until `stop`. */
  watch(): void {
    if (this.#timer) return;
    let looks = 0;
    const look = () => {
      if (this.#isAwaited()) {
        if (this.#mayBeTold() && isTimeToSpeak(++looks)) this.#speak();
        else this.#connection.touch();
      }
      this.#timer = setTimeout(look, INTERVAL).unref();
    };
    this.#timer = setTimeout(look, INTERVAL).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Sends the client a parameter once more, as a server may at any time; but only once to a client that reads nothing. */
  #speak(): void {
    if (this.#client.writableLength > 0) return;
    const name = 'client_encoding';
    this.#output.write(parameterStatus(name, this.#state.parameter(name) ?? 'UTF8'));
    this.#output.flush();
  }
}

/** At each power of two, so that the client is sent something ever more rarely; in the end about once a minute. */
function isTimeToSpeak(looks: number): boolean {
  return (looks & (looks - 1)) === 0 || looks % 256 === 0;
}
