/** Two clients beside a campaign, that do nothing else than to ask, at the same moment: one by the proxy, the other directly. */
import { setTimeout as pause } from 'node:timers/promises';
import { query } from '../support/frontend-messages.js';
import { startupPacket } from '../support/raw-client.js';
import { Client } from './client.js';
import type { Figures } from './figures.js';
import { BESIDE, type Scene } from './scene.js';

/** Between two questions, in milliseconds. */
const PAUSE = 20;
/** By so much more than the direct client the other should never wait, in milliseconds. */
const MOST_MORE = 100;
const SHARES = [0.5, 0.99, 1];

/** Counts and prints, and judges nothing: on a machine that has other work both wait. */
export class Beside {
  readonly #took = { proxied: [] as number[], direct: [] as number[] };
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
    const { proxied, direct } = this.#took;
    const slow = proxied.filter((took, index) => took > (direct[index] ?? 0) + MOST_MORE).length;
    figures.addNote(
      `${proxied.length} SELECT 1 beside it: ${spread(proxied)} ms by the proxy, ${spread(direct)} ms directly; ` +
        `${slow} took ${MOST_MORE} ms more than the direct one`,
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
      const [one, other] = await Promise.all([proxied.ask(), direct.ask()]);
      // A server or a proxy that is being started answers nobody.
      if (one !== undefined && other !== undefined) {
        this.#took.proxied.push(one);
        this.#took.direct.push(other);
      }
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

  /** @returns milliseconds; undefined where the connection is gone: the next question opens another one */
  async ask(): Promise<number | undefined> {
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
    if (await this.#client.until('Z')) return performance.now() - start;
    this.leave();
    return undefined;
  }

  leave(): void {
    this.#client?.leave('close');
    this.#client = undefined;
  }
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  return SHARES.map((share) => (sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN).toFixed(1)).join(
    '/',
  );
}
