/** One side of an interleaving: its clients' connections, and whether each of them waits for another. */
import { inWords } from '../answers.js';
import { type Address, Connection, type Message } from '../connection.js';
import { simple } from '../protocol.js';
import type { Step } from './scenario-sql.js';

/** How often the server is asked who waits for whom, for one step: no step takes so many questions. */
const MOST_QUESTIONS = 20_000;

interface Member {
  readonly session: Connection;
  readonly pid: number;
}

/** A client waits for another one. */
export interface Wait {
  readonly client: number;
  readonly by: number;
}

export interface Answered {
  readonly answer: readonly string[];
  /** Of a deadlock's victim: who waited for whom, as the server says. */
  readonly circle: readonly Wait[];
}

/** A step that was sent: answered, or not yet. */
interface Sent {
  answered: Answered | undefined;
  failure: unknown;
}

export class Side {
  readonly #members: readonly Member[];
  /** Always straight to the server. */
  readonly #control: Connection;
  readonly #flying = new Map<number, Sent>();
  #waits: readonly Wait[] = [];

  private constructor(members: readonly Member[], control: Connection) {
    this.#members = members;
    this.#control = control;
  }

  /**
   * @param direct the database
   * @param through the same, as the clients reach it
   * @param settings of the clients' sessions
   */
  static async connect(direct: Address, through: Address, clients: number, settings: string): Promise<Side> {
    const members: Member[] = [];
    for (let i = 0; i < clients; i++) {
      const session = await Connection.open(through, settings);
      const [pid] = rowsOf(await session.ask(simple('SELECT pg_backend_pid()').bytes));
      members.push({ session, pid: Number(pid) });
    }
    return new Side(members, await Connection.open(direct, '-c client_min_messages=warning'));
  }

  end(): void {
    for (const { session } of this.#members) session.end();
    this.#control.end();
  }

  /** Makes tables through the first client's session: a proxy hears of the keys in this way. */
  async make(sql: string): Promise<void> {
    const [first] = this.#members;
    await succeed(first?.session ?? this.#control, `SET client_min_messages = warning;\n${sql}`);
  }

  async fill(sql: string): Promise<void> {
    await succeed(this.#control, sql);
  }

  /** Settings of the clients' sessions. */
  async sets(settings: string): Promise<void> {
    await Promise.all(this.#members.map(({ session }) => succeed(session, settings)));
  }

  /** The rows of a query, asked past all clients. */
  async rows(sql: string): Promise<readonly string[]> {
    return rowsOf(await this.#control.ask(simple(sql).bytes));
  }

  isFree(client: number): boolean {
    return !this.#flying.has(client);
  }

  send(client: number, { bytes }: Step): void {
    const sent: Sent = { answered: undefined, failure: undefined };
    this.#flying.set(client, sent);
    const answered = (came: readonly Message[]) => {
      sent.answered = { answer: answerOf(came), circle: came.flatMap((each) => this.#circleOf(each)) };
    };
    const failed = (error: unknown) => {
      sent.failure = error;
    };
    this.#session(client).ask(bytes).then(answered, failed);
  }

  /**
   * Waits until every step that was sent is answered, or waits for a lock of another client's that will not let go by
   * itself: the server knows, by pg_blocking_pids().
   * @returns the answers that came, by client
   */
  async settle(): Promise<ReadonlyMap<number, Answered>> {
    const came = new Map<number, Answered>();
    for (let question = 0; question < MOST_QUESTIONS; question++) {
      for (const [client, { answered, failure }] of this.#flying) {
        if (failure !== undefined) throw failure;
        if (answered === undefined) continue;
        came.set(client, answered);
        this.#flying.delete(client);
      }
      if (this.#flying.size === 0) this.#waits = [];
      if (this.#flying.size === 0 || (question > 0 && (await this.#allWait()))) return came;
    }
    throw new Error(
      `${MOST_QUESTIONS} questions did not tell whether clients ${[...this.#flying.keys()]} wait`,
    );
  }

  /** Who waits for whom, since all who have no answer wait. */
  get waits(): readonly Wait[] {
    return this.#waits;
  }

  /** Ends what transactions are open. */
  async reset(): Promise<void> {
    for (const { session } of this.#members) await session.ask(simple('ROLLBACK').bytes);
  }

  /** Whether all who have no answer wait for clients that will not go on by themselves; in a circle somebody will. */
  async #allWait(): Promise<boolean> {
    const pids = this.#members.map(({ pid }) => pid);
    const sql = `SELECT p, b FROM unnest(ARRAY[${pids.join(', ')}]) AS p, unnest(pg_blocking_pids(p)) AS b`;
    const edges = (await this.rows(sql)).map((row) => row.split('|').map(Number));
    if (
      [...this.#flying.values()].some(
        ({ answered, failure }) => answered !== undefined || failure !== undefined,
      )
    )
      return false;
    // Who waits for somebody who waits for nobody: that one has to be idle.
    const waits = new Set<number>();
    for (let i = 0; i < pids.length; i++)
      for (const [pid, by] of edges) {
        const client = pids.indexOf(by ?? 0);
        const holds = client >= 0 && (this.isFree(client) || waits.has(by ?? 0));
        if (pid !== undefined && holds && !reaches(edges, by ?? 0, pid)) waits.add(pid);
      }
    this.#waits = edges.map(([pid = 0, by = 0]) => ({ client: pids.indexOf(pid), by: pids.indexOf(by) }));
    return [...this.#flying.keys()].every((client) => waits.has(pids[client] ?? 0));
  }

  /** What DeadLockReport (deadlock.c) tells the victim. */
  #circleOf({ type, body }: Message): readonly Wait[] {
    if (type !== 'E') return [];
    const clients = this.#members.map(({ pid }) => pid);
    const told = body.toString('utf8').matchAll(/Process (\d+) waits for [^;]*; blocked by process (\d+)\./g);
    return [...told].map(([, pid, by]) => ({
      client: clients.indexOf(Number(pid)),
      by: clients.indexOf(Number(by)),
    }));
  }

  #session(client: number): Connection {
    const member = this.#members[client];
    if (!member) throw new Error(`there is no client ${client}`);
    return member.session;
  }
}

/** Whether one waits for the other, perhaps over others. */
function reaches(edges: readonly (readonly number[])[], from: number, to: number): boolean {
  const seen = new Set([from]);
  for (const pid of seen)
    for (const [waiter, by] of edges) if (waiter === pid && by !== undefined) seen.add(by);
  return seen.has(to);
}

/** Tags, SQLSTATEs, names of keys, and rows in an order of their own. */
function answerOf(messages: readonly Message[]): readonly string[] {
  const words = messages
    .filter(({ type }) => 'CDEZ'.includes(type))
    .map((message) => inWords(message, new Map()));
  return words
    .filter((each) => each.startsWith('D '))
    .sort()
    .concat(words.filter((each) => !each.startsWith('D ')).map(brief));
}

/** Of an error its SQLSTATE, and for a broken rule what it says: the rest differs, or names processes. */
function brief(answer: string): string {
  const code = /^E C=(\w+)/.exec(answer)?.[1];
  if (code === undefined) return answer;
  return code.startsWith('23') ? answer : `E C=${code}`;
}

async function succeed(connection: Connection, sql: string): Promise<void> {
  const error = (await connection.ask(simple(sql).bytes)).find(({ type }) => type === 'E');
  if (error) throw new Error(`${inWords(error, new Map())}\n${sql}`);
}

function rowsOf(messages: readonly Message[]): readonly string[] {
  const error = messages.find(({ type }) => type === 'E');
  if (error) throw new Error(inWords(error, new Map()));
  return messages.filter(({ type }) => type === 'D').map((row) => inWords(row, new Map()).slice(2));
}
