/** Clients that connect, ask once, and then do nothing. */
import type pg from 'pg';
import type { Stage } from './stage.js';

/** So many connect at a time. */
const AT_ONCE = 20;

export class Idle {
  readonly #clients: readonly pg.Client[];
  readonly #lost = new Set<pg.Client>();

  constructor(clients: readonly pg.Client[]) {
    this.#clients = clients;
    for (const client of clients) client.on('error', () => this.#lost.add(client));
  }

  static async connect(stage: Stage, count: number): Promise<Idle> {
    const clients = Array.from({ length: count }, () => stage.client('proxy'));
    const idle = new Idle(clients);
    for (let i = 0; i < count; i += AT_ONCE)
      await Promise.all(
        clients.slice(i, i + AT_ONCE).map(async (client) => {
          await client.connect();
          await client.query('SELECT 1');
        }),
      );
    return idle;
  }

  /** @returns how many of them the server or the proxy has ended meanwhile */
  async end(): Promise<number> {
    const lost = this.#lost.size;
    await Promise.all(
      this.#clients.filter((client) => !this.#lost.has(client)).map((client) => client.end()),
    );
    return lost;
  }
}
