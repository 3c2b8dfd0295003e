/** What a campaign plays on: a server, a proxy in a process of its own, relays on both sides of it, and who looks on. */
import type pg from 'pg';
import { query } from '../support/frontend-messages.js';
import type { TcpAddress } from '../support/postgres.js';
import { ProxyProgram } from '../support/proxy-program.js';
import { createDatabaseOn, type Database } from '../support/scratch-database.js';
import { until } from '../support/until.js';
import { Client, PATIENCE } from './client.js';
import { SCHEMA } from './families.js';
import { Relay } from './relay.js';
import { latenessOf, type Memory, memoryOf, REPORTS } from './reports.js';

const MEGABYTE = 2 ** 20;
/** What may be kept when all is over: caches have bounds, and a heap has holes. In bytes. */
const MORE = { rss: 160 * MEGABYTE, heapUsed: 24 * MEGABYTE, external: 24 * MEGABYTE };
/** Sessions that wait for a lock of one that is gone, or for a network that says nothing, are ended after some seconds. */
const AT_LAST = { within: 2 * PATIENCE };
/** Where nobody is silent, and nothing waits, in milliseconds. */
const SOON = 5_000;
/** What a server that has crashed may take to serve again, in milliseconds: on a busy machine, to read its log again takes long. */
const RECOVERY = 180_000;
/** What those say that they are who ask beside a campaign: they are not counted. */
export const BESIDE = 'beside the campaign';

export class Scene {
  readonly database: Database;
  /** Between the proxy and the server. */
  readonly behind: Relay;
  /** Between clients and the proxy. */
  readonly before: Relay;
  proxy: ProxyProgram;
  watcher: pg.Client;
  /** A client that does nothing else than to ask whether it is answered. */
  #side: Client;
  /** Fulfilled when the side client has been answered, or was not. */
  #sideAsked: Promise<void> = Promise.resolve();
  /** How long it took until nothing was open, in milliseconds, where that has to be soon. */
  readonly #closings: number[] = [];
  #atRest: Memory | undefined;

  private constructor(
    database: Database,
    relays: { readonly behind: Relay; readonly before: Relay },
    proxy: ProxyProgram,
    watcher: pg.Client,
    side: Client,
  ) {
    this.database = database;
    this.behind = relays.behind;
    this.before = relays.before;
    this.proxy = proxy;
    this.watcher = watcher;
    this.#side = side;
  }

  /** @param server that clients may log in to without a password */
  static async begin(server: TcpAddress): Promise<Scene> {
    const database = await createDatabaseOn(server);
    const watcher = await database.connect();
    await watcher.query(SCHEMA);
    const behind = await Relay.start(server.port);
    const proxy = await startProxy(behind);
    const before = await Relay.start(proxy.port);
    const side = await Client.login(proxy.port, database.name);
    return new Scene(database, { behind, before }, proxy, watcher, side);
  }

  async end(): Promise<void> {
    await this.proxy.kill();
    await Promise.all([this.behind.stop(), this.before.stop()]);
    await this.watcher.end();
    await this.database.drop();
  }

  login(): Promise<Client> {
    return Client.login(this.proxy.port, this.database.name);
  }

  /** Kills the proxy, and starts another one in its place. */
  async restartProxy(): Promise<void> {
    await this.proxy.kill();
    this.proxy = await startProxy(this.behind, this.proxy.port);
    this.#side = await this.login();
  }

  /** Waits until a server that has crashed has started anew, and looks on again. */
  async untilRestarted(): Promise<void> {
    const servesAgain = async () => {
      const watcher = await this.database.connect().catch(() => undefined);
      if (watcher) this.watcher = watcher;
      return watcher !== undefined;
    };
    await until('the server serves again', servesAgain, { within: RECOVERY });
    this.#side = await this.login();
  }

  /** The side client asks, for one caller after the other, and is answered. @throws where it is not */
  sideAnswers(): Promise<void> {
    const answers = this.#sideAsked.then(() => this.#askSide());
    this.#sideAsked = answers.catch(() => {});
    return answers;
  }

  async #askSide(): Promise<void> {
    const answered = this.#side.messages.filter(({ type }) => type === 'Z').length;
    this.#side.send(query('SELECT 1'));
    if (!(await this.#side.until('Z', answered + 1)))
      throw new Error('the side client has lost its connection');
    if (this.#side.tags.at(-1) !== 'SELECT 1')
      throw new Error(`the side client was told "${this.#side.said}"`);
    this.#side.messages.splice(0);
  }

  /** How long it took until nothing was open any more. @returns undefined where nobody waited for that */
  get closings(): string | undefined {
    if (this.#closings.length === 0) return undefined;
    const late = this.#closings.filter((took) => took > SOON).length;
    const most = Math.max(...this.#closings);
    return `nothing open at the server after at most ${most.toFixed(0)} ms; ${late} of ${this.#closings.length} later than ${SOON} ms`;
  }

  /** How late the event loop of the proxy was: of the last one, where several were started. @returns undefined where it is gone */
  async lateness(): Promise<string | undefined> {
    if (!this.proxy.process.isAlive) return undefined;
    const { median, hundredth, most } = await latenessOf(this.proxy);
    const told = [median, hundredth, most].map((late) => late.toFixed(1)).join('/');
    return `the proxy's event loop was late by ${told} ms, with what it waited for a processor`;
  }

  /** Waits as `untilNothingIsOpen`, and notes how long, where nothing may go on: nobody is silent, and nothing is left to do. */
  async untilNothingIsOpenSoon(others = 0): Promise<void> {
    const start = performance.now();
    await this.untilNothingIsOpen(others);
    this.#closings.push(performance.now() - start);
  }

  /** How often that took too long, as the campaigns judge it: a test does not. */
  get lateClosings(): number {
    return this.#closings.filter((took) => took > SOON).length;
  }

  /**
   * Waits until the server has no session but those of the watcher and the side client.
   * @param others how many more there may be
   */
  untilNothingIsOpen(others = 0): Promise<void> {
    const sql = `SELECT count(*)::int AS open FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> '${BESIDE}'`;
    return until(
      'nothing is left open at the server',
      async () => (await this.watcher.query(sql)).rows[0].open <= 2 + others,
      AT_LAST,
    );
  }

  /** What is used now may be used. */
  async noteMemory(): Promise<void> {
    this.#atRest = await memoryOf(this.proxy);
  }

  /** What must hold whenever no client is at work, and what was at work has left nothing to do. @returns what does not */
  async defects(): Promise<readonly string[]> {
    if (!this.proxy.process.isAlive) return [`the proxy has ended:\n${this.proxy.process.log}`];
    const defects: string[] = [];
    const attempt = (work: Promise<unknown>) =>
      work.catch(
        (error: unknown) => void defects.push(error instanceof Error ? error.message : String(error)),
      );
    await attempt(this.sideAnswers());
    await attempt(this.untilNothingIsOpenSoon());
    return defects;
  }

  /** What must hold at the end. @returns what does not */
  async lastDefects(): Promise<readonly string[]> {
    const defects = [...(await this.defects())];
    if (!this.proxy.process.isAlive) return defects;
    const failures = await this.proxy.metric('pgcascade_session_failures_total');
    if (failures > 0) defects.push(`${failures} sessions failed of a defect:\n${this.proxy.process.log}`);
    const [before, after] = [this.#atRest, await memoryOf(this.proxy)];
    for (const kind of ['rss', 'heapUsed', 'external'] as const)
      if (before && after[kind] > before[kind] + MORE[kind])
        defects.push(`${kind} was ${before[kind]} bytes and is ${after[kind]}`);
    return defects;
  }
}

/** @param port of one that was killed */
function startProxy(upstream: Relay, port?: number): Promise<ProxyProgram> {
  return ProxyProgram.start(
    { host: '127.0.0.1', port: upstream.port },
    { log: { level: 'error' } },
    { node: REPORTS, ...(port === undefined ? {} : { port }) },
  );
}
