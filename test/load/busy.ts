/** Clients that work: they select, insert, delete with cascades, and every so often go and come again. */
import type pg from 'pg';
import { until } from '../support/until.js';
import type { Stage, Way } from './stage.js';

export type Counts = Record<'selects' | 'inserts' | 'cascades' | 'connects', number>;

/** Each round inserts an org with so many users, each with so many posts, and deletes it. */
const USERS = 5;
const POSTS = 4;
/** Twice limits.login_timeout: whoever is not connected by then has had an error before, which counts. In milliseconds. */
const CONNECTING = { within: 120_000 };
/** Rounds of a client on one connection. */
const ROUNDS = 20;

export class Busy {
  readonly counts: Counts = { selects: 0, inserts: 0, cascades: 0, connects: 0 };
  readonly errors: string[] = [];
  readonly #stage: Stage;
  readonly #way: Way;
  #working: Promise<unknown> = Promise.resolve();
  #isOver = false;

  private constructor(stage: Stage, way: Way) {
    this.#stage = stage;
    this.#way = way;
  }

  /** Waits until as many connections were made as there are clients: to connect takes longer than what comes after. */
  static async start(stage: Stage, way: Way, clients: number): Promise<Busy> {
    const busy = new Busy(stage, way);
    busy.#working = Promise.all(Array.from({ length: clients }, (_, i) => busy.#work(i)));
    await until('the busy clients are connected', () => busy.counts.connects >= clients, CONNECTING).catch(
      (error: unknown) => {
        const told = [...new Set(busy.errors)].join('; ');
        throw new Error(`${busy.counts.connects} of ${clients} have connected. Errors: ${told}`, {
          cause: error,
        });
      },
    );
    return busy;
  }

  /** Lets each client end its round. */
  async stop(): Promise<Busy> {
    this.#isOver = true;
    await this.#working;
    return this;
  }

  async #work(number: number): Promise<void> {
    while (!this.#isOver) {
      const client = this.#stage.client(this.#way);
      client.on('error', (error) => this.errors.push(`connection: ${error.message}`));
      try {
        await client.connect();
        this.counts.connects++;
        for (let round = 0; round < ROUNDS && !this.#isOver; round++) await this.#round(client, number);
        await client.end();
      } catch (error) {
        this.errors.push(error instanceof Error ? error.message : String(error));
        await client.end().catch(() => {});
      }
    }
  }

  async #round(client: pg.Client, org: number): Promise<void> {
    await client.query('INSERT INTO orgs VALUES ($1)', [org]);
    await client.query('INSERT INTO users (org_id) SELECT $1 FROM generate_series(1, $2::int)', [org, USERS]);
    await client.query(
      'INSERT INTO posts (user_id) SELECT id FROM users, generate_series(1, $2::int) WHERE org_id = $1',
      [org, POSTS],
    );
    this.counts.inserts += 3;
    const { rows } = await client.query('SELECT count(*)::int AS count FROM users WHERE org_id = $1', [org]);
    this.counts.selects++;
    if (rows[0]?.count !== USERS) this.errors.push(`${rows[0]?.count} users where ${USERS} should be`);
    const { rowCount } = await client.query({
      name: 'gone',
      text: 'DELETE FROM orgs WHERE id = $1',
      values: [org],
    });
    this.counts.cascades++;
    if (rowCount !== 1) this.errors.push(`${rowCount} orgs deleted where 1 should be`);
  }
}
