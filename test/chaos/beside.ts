/** Two clients beside a campaign, that do nothing else than to ask, at the same moment: one by the proxy, the other directly. */
import { setTimeout as pause } from 'node:timers/promises';
import { query } from '../support/frontend-messages.js';
import { type ProcessorTime, processorTimeOf } from '../support/processor-time.js';
import { startupPacket } from '../support/raw-client.js';
import { Client } from './client.js';
import type { Figures } from './figures.js';
import { BESIDE, type Scene } from './scene.js';

/** Between two questions, in milliseconds. */
const PAUSE = 20;
/** By so much more than the direct client the other should never wait, in milliseconds. */
const MOST_MORE = 100;
const SHARES = [0.5, 0.99, 1];

/** One question to each, in milliseconds. */
interface Asked {
  readonly proxied: number;
  readonly direct: number;
  /** What the proxy's thread did meanwhile. */
  readonly proxy: ProcessorTime;
}

/**
 * Counts and prints, and judges nothing: on a machine that has other work both wait. What is the proxy's of a wait is how long its
 * thread worked meanwhile, for whomever; what is the machine's, how long that thread had no processor.
 */
export class Beside {
  readonly #asked: Asked[] = [];
  #isOver = false;
  #done: Promise<string | undefined> = Promise.resolve(undefined);

  static begin(scene: Scene, directPort: number): Beside {
    const beside = new Beside();
    // Who is not answered at all is told of at the end.
    beside.#done = beside.#ask(scene, directPort).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    return beside;
  }

  /** Ends it, and notes how long both waited: the median, what the slowest hundredth reaches, and the most. */
  async end(figures: Figures): Promise<void> {
    this.stop();
    const failure = await this.#done;
    if (failure !== undefined) figures.addDefects('beside the campaign', [failure]);
    const asked = this.#asked;
    const of = (what: (each: Asked) => number) => spread(asked.map(what));
    const slow = asked.filter(({ proxied, direct }) => proxied > direct + MOST_MORE);
    const isOwn = ({ proxy }: Asked) => proxy.worked > MOST_MORE;
    figures.addNote(
      `${asked.length} SELECT 1 beside it: ${of(({ proxied }) => proxied)} ms by the proxy, ${of(({ direct }) => direct)} ms directly; ` +
        `${slow.length} took ${MOST_MORE} ms more than the direct one, and in ${slow.filter(isOwn).length} of these the proxy worked so long`,
    );
    figures.addNote(
      `meanwhile the proxy's thread worked ${of(({ proxy }) => proxy.worked)} ms, more than ${MOST_MORE} ms in ${asked.filter(isOwn).length}, ` +
        `and waited ${of(({ proxy }) => proxy.waited)} ms for a processor`,
    );
  }

  /** No more is asked. */
  stop(): void {
    this.#isOver = true;
  }

  async #ask(scene: Scene, directPort: number): Promise<void> {
    const proxied = new Asker(() => scene.proxy.port, scene.database.name);
    const direct = new Asker(() => directPort, scene.database.name);
    while (!this.#isOver) {
      const { pid } = scene.proxy.process;
      const before = processorTimeOf(pid);
      const [one, other] = await Promise.all([
        proxied.ask(() => processorTimeOf(pid)),
        direct.ask(() => undefined),
      ]);
      // A server or a proxy that is being started answers nobody.
      if (one && other)
        this.#asked.push({ proxied: one.took, direct: other.took, proxy: since(before, one.seen) });
      await pause(PAUSE);
    }
    proxied.leave();
    direct.leave();
  }
}

class Asker {
  readonly #port: () => number;
  readonly #database: string;
  #client: Client | undefined;

  constructor(port: () => number, database: string) {
    this.#port = port;
    this.#database = database;
  }

  /**
   * @param look at what, as soon as the answer is there
   * @returns how many milliseconds it took, and what was seen; undefined where the connection is gone: the next question opens
   * another one
   */
  async ask<Seen>(look: () => Seen): Promise<{ readonly took: number; readonly seen: Seen } | undefined> {
    if (!this.#client) {
      const client = new Client(this.#port());
      client.send(startupPacket({ database: this.#database, parameters: { application_name: BESIDE } }));
      if (await client.until('Z')) this.#client = client;
      else client.leave('close');
      return undefined;
    }
    this.#client.messages.splice(0);
    const start = performance.now();
    this.#client.send(query('SELECT 1'));
    if (await this.#client.until('Z')) return { took: performance.now() - start, seen: look() };
    this.leave();
    return undefined;
  }

  leave(): void {
    this.#client?.leave('close');
    this.#client = undefined;
  }
}

function since(before: ProcessorTime, then: ProcessorTime): ProcessorTime {
  return { worked: then.worked - before.worked, waited: then.waited - before.waited };
}

/** The median, what the slowest hundredth reaches, and the most. */
function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return SHARES.map((share) => (sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(1)).join(
    '/',
  );
}
