/** The same schema and statements on both sides: natively, and through the proxy; and what differs. */
import { inWords, type Names, refusalOf } from './answers.js';
import { comparedInBatches, orphansSql, withoutBatches } from './batches.js';
import { type Case, kindOf, type Statement, schemaOf } from './case.js';
import { type Comparison, compared } from './comparison.js';
import { type Address, Connection, type Message } from './connection.js';
import { shownBy } from './coverage.js';
import { programOf } from './program.js';
import { type Step, simple } from './protocol.js';
import type { Run } from './run.js';
import type { Schema } from './schema.js';
import { contentsSql, createSql, fillSql, type Kind, shownName } from './schema-sql.js';
import { isWrite } from './writes/write-spec.js';

/**
 * Which of several broken rules is reported depends on the order in which rows are deleted, and that on the plan. Nested
 * loops keep the order of the table on both sides.
 */
const SETTINGS = [
  'search_path=a,b',
  'client_min_messages=notice',
  ...['hashjoin', 'mergejoin', 'bitmapscan'].map((each) => `enable_${each}=off`),
  'jit=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** No index decides in which order rows are found. Plans that were made before are made again. */
const IN_TABLE_ORDER = `SET enable_indexscan = off; SET enable_indexonlyscan = off; DISCARD PLANS`;
const AS_PLANNED = `RESET enable_indexscan; RESET enable_indexonlyscan; DISCARD PLANS`;

interface Side {
  /** The client's connection: straight to the server, or through the proxy. */
  readonly session: Connection;
  /** Always straight to the server. */
  readonly control: Connection;
}

export class Twins {
  readonly #native: Side;
  readonly #proxied: Side;
  readonly #inBatches: boolean;

  private constructor(native: Side, proxied: Side, inBatches: boolean) {
    this.#native = native;
    this.#proxied = proxied;
    this.#inBatches = inBatches;
  }

  /**
   * @param native an empty database
   * @param other another one on the same server
   * @param proxied the second through the proxy
   * @param inBatches the proxy cascades in batches
   */
  static async connect(native: Address, other: Address, proxied: Address, inBatches = false): Promise<Twins> {
    const open = (address: Address) => Connection.open(address, SETTINGS);
    return new Twins(
      { session: await open(native), control: await open(native) },
      { session: await open(proxied), control: await open(other) },
      inBatches,
    );
  }

  end(): void {
    for (const { session, control } of [this.#native, this.#proxied]) {
      session.end();
      control.end();
    }
  }

  /** Makes the case's schema on both sides. @throws what a server does not accept */
  async prepare(given: Case): Promise<Prepared> {
    const schema = schemaOf(given);
    const sides = await Promise.all([
      PreparedSide.make(this.#native, schema, 'native', false),
      PreparedSide.make(this.#proxied, schema, kindOf(given), this.#inBatches),
    ]);
    return new Prepared(schema, sides[0], sides[1], this.#inBatches ? comparedInBatches : compared);
  }
}

/** A schema that stands on both sides, with its rows. */
export class Prepared {
  readonly #schema: Schema;
  readonly #native: PreparedSide;
  readonly #proxied: PreparedSide;
  readonly #compared: typeof compared;
  #restored = 0;

  constructor(schema: Schema, native: PreparedSide, proxied: PreparedSide, by: typeof compared) {
    this.#schema = schema;
    this.#native = native;
    this.#proxied = proxied;
    this.#compared = by;
  }

  /** Runs a statement on both sides, and puts the rows back where any was touched. */
  async compare(spec: Statement): Promise<Comparison> {
    const first = await this.#compareOnce(spec);
    if (first.kind !== 'different') return first;
    // Rows that were changed and not deleted leave room of their own: they may have stood in another order. Now they do not.
    if (isWrite(spec)) await this.#restore(undefined);
    const again = isWrite(spec) ? await this.#compareOnce(spec) : first;
    if (again.kind !== 'different') return again;
    await this.#native.sets(IN_TABLE_ORDER);
    const inOrder = await this.#compareOnce(spec);
    await this.#native.sets(AS_PLANNED);
    return inOrder.kind === 'same' ? { ...again, kind: 'known', known: 'other plan' } : again;
  }

  async #compareOnce(spec: Statement): Promise<Comparison> {
    const sides = [this.#native, this.#proxied] as const;
    const [native, proxied] = (await Promise.all(
      sides.map((side) => side.run(programOf(this.#schema, spec, side.kind))),
    )) as [Run, Run];
    const touched = [
      ...new Set([...this.#native.touched(native.left), ...this.#proxied.touched(proxied.left)]),
    ];
    if (touched.length > 0) {
      // What is emptied by DELETE grows; a page that is full is tidied up, and rows then stand in another order.
      const all = ++this.#restored % MOST_RESTORED === 0;
      await this.#restore(all ? undefined : touched);
    }
    const shown = shownBy(this.#schema, spec, new Set(this.#native.touched(native.left)), native);
    return this.#compared(native, proxied, this.#proxied.start, this.#schema, spec, shown);
  }

  /** @param places those of the tables that have to be emptied; else all are, by TRUNCATE */
  async #restore(places: readonly number[] | undefined): Promise<void> {
    const tables = places && this.#schema.tables.filter((_, i) => places.includes(i));
    const sql = fillSql(this.#schema, tables);
    await Promise.all([this.#native, this.#proxied].map((side) => side.restore(sql)));
  }
}

const MOST_RESTORED = 6;

class PreparedSide {
  readonly kind: Kind;
  /** What the tables hold before each statement. */
  readonly start: readonly string[];
  readonly #side: Side;
  readonly #names: Names;
  readonly #contents: Step;
  readonly #places: ReadonlyMap<string, number>;
  readonly #late: boolean;
  readonly #orphans: Step | undefined;

  private constructor(
    side: Side,
    schema: Schema,
    kind: Kind,
    names: Names,
    start: readonly string[],
    inBatches: boolean,
  ) {
    this.#side = side;
    this.kind = kind;
    this.#names = names;
    this.start = start;
    this.#contents = simple(contentsSql(schema));
    this.#late = schema.late;
    this.#orphans = inBatches ? simple(orphansSql(schema)) : undefined;
    this.#places = new Map(schema.relations.map((each) => [shownName(each), each.table.place]));
  }

  /** @param inBatches a part of a statement may be done: orphans are looked for */
  static async make(side: Side, schema: Schema, kind: Kind, inBatches: boolean): Promise<PreparedSide> {
    // Through the proxy, which hears of the keys in this way.
    await succeed(
      side.session,
      ['SET client_min_messages = warning', ...createSql(schema, kind), 'RESET client_min_messages'].join(
        ';\n',
      ),
    );
    // PostgreSQL fires a row's keys in the order of their triggers' names, which end in object ids: 100000 before 99999.
    if (await hasIdsOfSeveralLengths(side.control)) return PreparedSide.make(side, schema, kind, inBatches);
    await succeed(side.control, fillSql(schema));
    const names = await tableNames(side.control);
    const start = await side.control.ask(simple(contentsSql(schema)).bytes);
    return new PreparedSide(
      side,
      schema,
      kind,
      names,
      start.map((each) => inWords(each, names)),
      inBatches,
    );
  }

  sets(settings: string): Promise<void> {
    return succeed(this.#side.session, settings);
  }

  async run(steps: readonly Step[]): Promise<Run> {
    const { session } = this.#side;
    const answers: string[][] = [];
    let refused: Run['refused'];
    let status = 'I';
    for (const { bytes, readies, opaque, shown } of steps) {
      const came = await session.ask(bytes, readies).catch((error: Error) => {
        throw new Error(
          `${this.kind}: ${error.message} to: ${shown}, of ${steps.map((each) => each.shown).join('\n')}, after ${JSON.stringify(answers)}`,
        );
      });
      const name = came.map((each) => this.#refusal(each)).find((each) => each !== undefined);
      if (name !== undefined && refused === undefined) refused = { step: answers.length, name };
      const kept = withoutPlans(this.#late ? withoutRows(came) : withoutCopied(came), opaque);
      answers.push(withoutBatches(kept.map((each) => this.#inWords(each))));
      status = came.at(-1)?.body.toString('latin1') ?? '';
    }
    if (status !== 'I') await session.ask(simple('ROLLBACK').bytes);
    const left = await this.#asked(this.#contents);
    const orphans = this.#orphans ? await this.#asked(this.#orphans) : [];
    return { answers, left, refused, orphans: orphans.filter((each) => each.startsWith('D ')) };
  }

  async #asked({ bytes }: Step): Promise<readonly string[]> {
    return (await this.#side.control.ask(bytes)).map((each) => this.#inWords(each));
  }

  /** The places of the tables that hold other rows than at the start; -1 stands for the log. */
  touched(left: readonly string[]): readonly number[] {
    const before = new Set(this.start);
    const after = new Set(left);
    const changed = [
      ...left.filter((row) => !before.has(row)),
      ...this.start.filter((row) => !after.has(row)),
    ];
    // Of rows that are all alike one may be gone.
    const one = left.length === this.start.length;
    const rows = one ? changed : [...changed, ...this.start];
    return rows.flatMap((row) =>
      row.startsWith('D ') ? [this.#places.get(row.slice(2, row.indexOf('|'))) ?? -1] : [],
    );
  }

  async restore(sql: string): Promise<void> {
    await succeed(this.#side.control, sql);
  }

  /** The server refuses some TRUNCATEs by itself where keys are NOT ENFORCED: it does not see that all tables are listed. */
  #refusal(message: Message): string | undefined {
    const truncate =
      this.kind === 'emulated' && /^E C=0A000 .*M=cannot truncate/.test(this.#inWords(message));
    return truncate ? 'TRUNCATE' : refusalOf(message);
  }

  #inWords(message: Message): string {
    return inWords(message, this.#names);
  }
}

/** What a RETURNING has given before COMMIT fails. */
function withoutRows(messages: readonly Message[]): readonly Message[] {
  return messages.some(({ type }) => type === 'E')
    ? messages.filter(({ type }) => type === 'E' || type === 'Z')
    : messages;
}

/** What a COPY has sent before an error: natively rows are sent while keys are still to be checked. */
function withoutCopied(messages: readonly Message[]): readonly Message[] {
  return messages.some(({ type }) => type === 'E')
    ? messages.filter(({ type }) => !'Hdc'.includes(type))
    : messages;
}

function withoutPlans(messages: readonly Message[], opaque: boolean): readonly Message[] {
  return opaque ? messages.filter(({ type }) => type !== 'T' && type !== 'D') : messages;
}

async function succeed(connection: Connection, sql: string): Promise<void> {
  const came = await connection.ask(simple(sql).bytes);
  const error = came.find(({ type }) => type === 'E');
  if (error) throw new Error(`${inWords(error, new Map())}\n${sql}`);
}

/** Whether the object ids of the keys' triggers reach from one number of digits to the next. */
async function hasIdsOfSeveralLengths(connection: Connection): Promise<boolean> {
  const sql = 'SELECT count(DISTINCT length(oid::text)) FROM pg_trigger WHERE tgisinternal';
  return (await connection.ask(simple(sql).bytes)).some((answer) => inWords(answer, new Map()) === 'D 2');
}

/** Names for the tables and row types that a schema has made. */
async function tableNames(connection: Connection): Promise<Names> {
  const sql = `SELECT oid, oid::regclass::text FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT oid, oid::regtype::text || ' row' FROM pg_type WHERE oid >= 16384`;
  const rows = (await connection.ask(simple(sql).bytes)).filter(({ type }) => type === 'D');
  return new Map(
    rows.map((row): [number, string] => {
      const [oid = '', name = ''] = inWords(row, new Map()).slice(2).split('|');
      return [Number(oid), name];
    }),
  );
}
