/**
 * A connection of the proxy's own on which the database tells of changes of its schema (graph.url, `pgcascade install`).
 *
 * One round trip on it, begun after a statement came, tells of every change whose COMMIT was answered before the
 * statement was sent: a transaction that notified signals the listeners before its COMMIT is answered (async.c,
 * SignalBackends), and a listener sends on what there is before it answers its own client (postgres.c,
 * ProcessNotifyInterrupt).
 */
import type pg from 'pg';
import type { ServerAddress } from '../../upstream/server-socket.js';
import type { Watch } from '../cache.js';
import { sqlFile } from '../catalog/sql-file.js';
import { clientOf, connect, serverOf, type WatchedDatabase } from './connection.js';
import { Rounds } from './rounds.js';

export interface ListenerLog {
  info(message: string): void;
  warn(message: string): void;
}

const WATCH = { name: 'watch', text: sqlFile('watch.sql', import.meta.url), rowMode: 'array' } as const;
const SERVER = `SELECT ${sqlFile('../catalog/server.sql', import.meta.url)} AS server`;

/** Milliseconds. */
const PATIENCE = 5000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

/** Why the database may not notify the proxy of every change. */
type Gap = 'connection' | 'trigger' | 'pooler' | 'queue';

const GAPS: Readonly<Record<Gap, (name: string, reason: string) => string>> = {
  connection: (name, reason) => `graph.url has no connection to ${name}: ${reason}; it is tried again`,
  trigger: (name) => `the event trigger is not in effect in ${name}: run pgcascade install`,
  pooler: (name) => `graph.url cannot listen in ${name}: it must lead to the server without a pooler`,
  queue: (name) => `the queue of notifications is more than half full in ${name}: find who does not read it`,
};

export class SchemaListener implements Watch {
  readonly #target: WatchedDatabase;
  readonly #log: ListenerLog;
  readonly #patience: number;
  readonly #rounds = new Rounds(() => this.#look());
  /** The latest connection; and `#client` is the same one as soon as it listens. */
  #latest: pg.Client | undefined;
  #client: pg.Client | undefined;
  #server: string | undefined;
  /** Counts the changes of which the database has notified the proxy, and each time at which it may not have. */
  #changes = 0;
  #gap: Gap | 'start' | undefined = 'start';
  /** What the catalog says of the event trigger. */
  #trigger: string | null = null;
  #pause = FIRST_PAUSE;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param patience milliseconds: a connection on which an answer takes longer counts as lost */
  constructor(target: WatchedDatabase, log: ListenerLog, patience = PATIENCE) {
    this.#target = target;
    this.#log = log;
    this.#patience = patience;
  }

  get server(): string | undefined {
    return this.#server;
  }

  get begun(): number {
    return this.#rounds.begun;
  }

  async changes(since: number): Promise<number | undefined> {
    const client = this.#client;
    if (client === undefined) return undefined;
    await this.#rounds.after(since);
    return client === this.#client && this.#gap === undefined ? this.#changes : undefined;
  }

  /** Fulfilled when the first attempt to connect is over. Others follow it, and every loss of the connection. */
  async start(): Promise<void> {
    const server = await this.#findServer();
    if (!server || this.#closed) return;
    const client = clientOf(this.#target, server, { query_timeout: this.#patience });
    let reason = 'it ended';
    client.on('error', (error) => {
      reason = error.message;
    });
    client.on('end', () => this.#lose(client, reason));
    client.on('notification', () => {
      this.#changes++;
    });
    this.#latest = client;
    try {
      await connect(client);
      await client.query('LISTEN pgcascade');
      const { rows } = await client.query<{ server: string }>(SERVER);
      if (client !== this.#latest) return;
      this.#server = rows[0]?.server;
      this.#client = client;
      this.#pause = FIRST_PAUSE;
      await this.#rounds.after(this.#rounds.begun);
    } catch (error) {
      this.#lose(client, messageOf(error));
    }
  }

  /** @returns undefined where there is none now: it is looked for again */
  async #findServer(): Promise<ServerAddress | undefined> {
    try {
      return await serverOf(this.#target);
    } catch (error) {
      this.#lose(undefined, messageOf(error));
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const client = this.#latest;
    // A connection that is still being made has nothing to say goodbye to.
    if (client !== this.#client) client?.connection.stream.destroy();
    if (client === undefined || client !== this.#client) return;
    // A server that does not answer is not waited for.
    const patience = setTimeout(() => client.connection.stream.destroy(), FIRST_PAUSE);
    await client.end();
    clearTimeout(patience);
  }

  /** One round trip. After it, all notifications are counted that were sent before it, and it is known whether any may be missing. */
  async #look(): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    try {
      const { rows } = await client.query<[trigger: string | null, listens: boolean, room: boolean]>(WATCH);
      const [trigger, listens, room] = rows[0] ?? [null, false, false];
      if (client !== this.#client) return;
      // The event trigger was another one, or none, for a while.
      if (trigger !== this.#trigger) this.#changes++;
      this.#trigger = trigger;
      this.#tell(trigger === null ? 'trigger' : !listens ? 'pooler' : !room ? 'queue' : undefined);
    } catch (error) {
      this.#lose(client, messageOf(error));
    }
  }

  #lose(client: pg.Client | undefined, reason: string): void {
    if (client !== this.#latest) return;
    this.#latest = undefined;
    this.#client = undefined;
    client?.connection.stream.destroy();
    if (this.#closed) return;
    this.#tell('connection', reason);
    this.#retry = setTimeout(() => this.start(), this.#pause);
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  /**
   * What was remembered before a gap or in it does not hold after it: the beginning and the end of a gap count as changes. Each
   * is logged once.
   */
  #tell(gap: Gap | undefined, reason = ''): void {
    if (gap === this.#gap) return;
    this.#gap = gap;
    this.#changes++;
    const { name } = this.#target;
    if (gap === undefined) this.#log.info(`changes of the schema of ${name} are told as they are made`);
    else this.#log.warn(`${GAPS[gap](name, reason)}. Changes of its schema are noticed within graph.refresh`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
