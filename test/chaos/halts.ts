/**
 * The proxy, or the backend that works for it, is killed by SIGKILL at any point of a cascade that is carried out by many statements,
 * of which those that were committed stay. No row may ever be seen that references one that is gone; and the same statement again
 * has to delete all that is left.
 */
import { query, run, sync } from '../support/frontend-messages.js';
import { ProxyProgram } from '../support/proxy-program.js';
import { Client } from './client.js';
import type { Direction } from './faults.js';
import { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { Looker } from './looker.js';
import { type Place, Point } from './points.js';
import { Random } from './random.js';
import { Relay } from './relay.js';
import type { Scene } from './scene.js';

type Victim = 'proxy' | 'backend';

/** What is cut short. */
export interface Halted {
  readonly title: string;
  readonly schema: readonly string[];
  /** Makes all rows anew. */
  readonly fill: string;
  readonly statement: string;
  /** Sent before it in the same session, so that the schema is known: it deletes nothing. */
  readonly before: readonly string[];
  /** How many rows reference one that is gone: one statement, which sees one moment. */
  readonly orphans: string;
  /** How many there are of those that the statement deletes. */
  readonly left: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly victims: readonly Victim[];
  /** Starts what stands between the proxy and the server at a port. */
  readonly gate?: (port: number) => Promise<{ readonly port: number; close(): Promise<void> }>;
}

const DIRECTIONS: readonly Direction[] = ['toServer', 'toClient'];

/** @param scene on a server that nobody else uses, where backends are killed */
export async function halt(
  scene: Scene,
  { seed, cases, first = 0 }: Campaign,
  halted: Halted,
): Promise<Figures> {
  const figures = new Figures(`halts of ${halted.title}`);
  const stage = await Stage.begin(scene, halted);
  let looks = 0;
  try {
    const lengths = await stage.measure();
    for (let each = first; each < first + cases; each++) {
      const random = new Random(seed * 1_000_003 + each);
      const [victim, direction] = [random.pick(halted.victims), random.pick(DIRECTIONS)];
      const place = { packet: random.below(lengths[direction]), share: random.below(101) / 100 };
      const looker = Looker.begin(scene.database, halted.orphans);
      const { became, defects } = await stage.play(victim, direction, place, random.once(2));
      const orphans = await looker.end();
      looks += looker.looks;
      figures.add(`${victim} killed, ${became}`);
      const seen = orphans > 0 ? [`${orphans} rows were seen that reference one that is gone`] : [];
      figures.addDefects(`seed ${seed}, case ${each}, in packet ${place.packet} ${direction}`, [
        ...seen,
        ...defects,
      ]);
    }
    figures.addNote(`looked ${looks} times for a row that references one that is gone`);
  } finally {
    await stage.end();
  }
  return figures;
}

class Stage {
  readonly #scene: Scene;
  readonly #halted: Halted;
  readonly #relay: Relay;
  readonly #endGate: () => Promise<void>;
  #proxy: ProxyProgram;
  /** How many rows the statement deletes. */
  #all = 0;

  private constructor(
    scene: Scene,
    halted: Halted,
    relay: Relay,
    endGate: () => Promise<void>,
    proxy: ProxyProgram,
  ) {
    this.#scene = scene;
    this.#halted = halted;
    this.#relay = relay;
    this.#endGate = endGate;
    this.#proxy = proxy;
  }

  static async begin(scene: Scene, halted: Halted): Promise<Stage> {
    for (const sql of halted.schema) await scene.watcher.query(sql);
    const port = Number(new URL(scene.database.url).port);
    const gate = await halted.gate?.(port);
    const relay = await Relay.start(gate?.port ?? port);
    const endGate = async () => gate?.close();
    return new Stage(scene, halted, relay, endGate, await startProxy(relay, halted));
  }

  async end(): Promise<void> {
    await this.#proxy.kill();
    await this.#relay.stop();
    await this.#endGate();
  }

  /** @returns how many packets go in each direction where nobody is killed; @throws where the statement does not do what it should */
  async measure(): Promise<Readonly<Record<Direction, number>>> {
    await this.#fill();
    const points = { toServer: new Point('toServer'), toClient: new Point('toClient') };
    this.#relay.arm(points.toServer.fault(), points.toClient.fault());
    const client = await this.#login();
    points.toServer.start();
    points.toClient.start();
    const [defect] = await this.#finish(client);
    if (defect !== undefined) throw new Error(`nobody was killed: ${defect}`);
    return { toServer: points.toServer.passed, toClient: points.toClient.passed };
  }

  /** @param isExtended whether the statement is sent in the extended protocol */
  async play(
    victim: Victim,
    direction: Direction,
    place: Place,
    isExtended: boolean,
  ): Promise<{ readonly became: string; readonly defects: readonly string[] }> {
    const { statement } = this.#halted;
    await this.#fill();
    let backend = 0;
    const point = new Point(direction, place, async () => {
      if (victim === 'proxy') await this.#proxy.kill();
      else process.kill(backend, 'SIGKILL');
    });
    this.#relay.arm(point.fault());
    const client = await this.#login();
    backend = await backendOf(client);
    point.start();
    await ask(client, isExtended ? Buffer.concat([run(statement), sync]) : query(statement));
    client.leave('close');
    if (!point.isStruck)
      return { became: 'too late', defects: [...client.errors, ...(await this.#leftovers())] };
    if (victim === 'backend') await this.#scene.untilRestarted();
    else this.#proxy = await startProxy(this.#relay, this.#halted, this.#proxy.port);
    const left = await this.#left();
    const became = left === this.#all ? 'nothing gone' : left === 0 ? 'all gone' : 'a part gone';
    return { became, defects: await this.#finish(await this.#login()) };
  }

  async #fill(): Promise<void> {
    await this.#scene.watcher.query(this.#halted.fill);
    this.#all = await this.#left();
  }

  async #left(): Promise<number> {
    const { rows } = await this.#scene.watcher.query({ text: this.#halted.left, rowMode: 'array' });
    return Number(rows[0]?.[0]);
  }

  /** A session that knows the schema. */
  async #login(): Promise<Client> {
    const client = await Client.login(this.#proxy.port, this.#scene.database.name);
    for (const sql of this.#halted.before) await ask(client, query(sql));
    if (client.errors.length > 0) throw new Error(`what comes before was answered by ${client.errors}`);
    return client;
  }

  /** Has all that is left deleted. @returns what is not as it should be */
  async #finish(client: Client): Promise<readonly string[]> {
    const isAnswered = await ask(client, query(this.#halted.statement));
    client.leave('goodbye');
    const told = isAnswered ? client.errors : [...client.errors, 'no answer'];
    return [...told.map((each) => `the same again was answered by ${each}`), ...(await this.#leftovers())];
  }

  async #leftovers(): Promise<readonly string[]> {
    const left = await this.#left();
    return left === 0 ? [] : [`${left} rows are left`];
  }
}

/** @returns whether it was answered: else the connection is over */
function ask(client: Client, bytes: Uint8Array): Promise<boolean> {
  const answered = client.messages.filter(({ type }) => type === 'Z').length;
  client.send(bytes);
  return client.until('Z', answered + 1);
}

async function backendOf(client: Client): Promise<number> {
  await ask(client, query('SELECT pg_backend_pid()'));
  const row = client.messages.findLast(({ type }) => type === 'D');
  return Number(row?.body.toString('latin1', 6));
}

/** @param port of one that was killed */
function startProxy(relay: Relay, { config }: Halted, port?: number): Promise<ProxyProgram> {
  return ProxyProgram.start(
    { host: '127.0.0.1', port: relay.port },
    { log: { level: 'error' }, ...config },
    port === undefined ? {} : { port },
  );
}
