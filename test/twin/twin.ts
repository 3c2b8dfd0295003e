/** Runs a case against both twins, natively and through the proxy, and tells what differs. */
import pg from 'pg';
import type { Case, Statement } from './model.js';
import { contents, createTwin, deleteSql, refill, type Twin } from './sql.js';

/** What a client sees of a statement. */
export type Outcome =
  | {
      readonly kind: 'done';
      readonly tag: string;
      readonly fields: readonly unknown[];
      readonly rows: readonly string[];
    }
  | { readonly kind: 'error'; readonly fields: Readonly<Record<string, string | undefined>> };

/**
 * `other rule`: both refuse the statement, which breaks several rules, and name different ones. Below the first level
 * the order of the rows that a cascade deletes is not the native one; the README says so. Anything else is a defect.
 */
export interface Difference {
  readonly kind: 'other rule' | 'defect';
  readonly statement: string;
  readonly native: unknown;
  readonly emulated: unknown;
}

interface Connections {
  readonly plain: pg.Client;
  readonly pipeline: pg.Client;
}

interface Run {
  readonly outcome: Outcome;
  /** How the transaction ended, where there was one. */
  readonly end: string;
  /** All rows of all tables afterwards; after ROLLBACK TO, before the end of the transaction. */
  readonly left: readonly unknown[];
}

export class Twins {
  readonly #native: Connections;
  readonly #proxied: Connections;
  #named = 0;

  private constructor(native: Connections, proxied: Connections) {
    this.#native = native;
    this.#proxied = proxied;
  }

  /** @param direct the server's URL @param proxied the proxy's, for the same database */
  static async connect(direct: string, proxied: string): Promise<Twins> {
    const open = async (url: string, pipeline: boolean) => {
      // Which of several broken rules is reported depends on the order in which the rows are deleted, and that on the
      // plan. Nested loops keep the order of the table in both twins.
      const options = '-c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off';
      const client = new pg.Client({ connectionString: url, pipeline, options });
      await client.connect();
      return client;
    };
    const connect = async (url: string) => ({
      plain: await open(url, false),
      pipeline: await open(url, true),
    });
    return new Twins(await connect(direct), await connect(proxied));
  }

  async end(): Promise<void> {
    for (const { plain, pipeline } of [this.#native, this.#proxied]) {
      await plain.end();
      await pipeline.end();
    }
  }

  /** @returns what differs, statement by statement: nothing where both twins did the same throughout */
  async compare(given: Case): Promise<readonly Difference[]> {
    const differences: Difference[] = [];
    const other = given.overridden ? 'overridden' : 'emulated';
    const both = (sql: typeof createTwin) =>
      Promise.all([this.#prepare(given, 'native', sql), this.#prepare(given, other, sql)]);
    await both(createTwin);
    for (const statement of given.statements) {
      this.#named++;
      const [native, emulated] = await Promise.all([
        this.#run(given, statement, 'native'),
        this.#run(given, statement, other),
      ]);
      if (JSON.stringify(native) !== JSON.stringify(emulated)) {
        const kind = breaksRule(native.outcome) && breaksRule(emulated.outcome) ? 'other rule' : 'defect';
        differences.push({ kind, statement: deleteSql(given, statement, other).text, native, emulated });
      }
      await both(refill);
    }
    return differences;
  }

  async #prepare(given: Case, twin: Twin, sql: (given: Case, twin: Twin) => string): Promise<void> {
    const { plain, pipeline } = this.#connections(twin);
    await plain.query(sql(given, twin));
    await pipeline.query(`SET search_path = ${twin}`);
  }

  #connections(twin: Twin): Connections {
    return twin === 'native' ? this.#native : this.#proxied;
  }

  /** The statement's outcome, everything that is left afterwards, and the same again where it ran in a transaction. */
  async #run(given: Case, statement: Statement, twin: Twin): Promise<Run> {
    const { plain, pipeline } = this.#connections(twin);
    const client = statement.manner === 'pipelined' ? pipeline : plain;
    const left = async () => (await plain.query(contents(given, twin))).rows;
    if (statement.transaction === 'none') {
      const outcome = await this.#delete(given, statement, twin, client);
      return { outcome, end: '', left: await left() };
    }
    await client.query('BEGIN');
    if (statement.transaction === 'savepoint') await client.query('SAVEPOINT s');
    const outcome = await this.#delete(given, statement, twin, client);
    if (statement.transaction === 'savepoint') {
      await client.query('ROLLBACK TO s');
      const restored = (await client.query(contents(given, twin))).rows;
      return { outcome, end: (await client.query('COMMIT')).command, left: restored };
    }
    return { outcome, end: (await client.query('COMMIT')).command, left: await left() };
  }

  async #delete(given: Case, statement: Statement, twin: Twin, client: pg.Client): Promise<Outcome> {
    const { text, values } = deleteSql(given, statement, twin);
    const query = {
      text,
      values: [...values],
      rowMode: 'array',
      ...(statement.manner === 'named' ? { name: `n${this.#named}` } : {}),
    };
    try {
      if (statement.manner === 'simple') return done(await client.query({ text, rowMode: 'array' }));
      if (statement.manner !== 'pipelined') return done(await client.query(query));
      const [result] = await Promise.all([client.query(query), client.query('SELECT 1')]);
      return done(result);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const { code, message, detail, schema, table, column, constraint, hint, position } = error;
      const fields = {
        code,
        message,
        detail,
        schema: schema?.replace(twin, 'twin'),
        table,
        column,
        constraint,
        hint,
        position,
      };
      return { kind: 'error', fields };
    }
  }
}

/** Integrity constraint violations: class 23. */
function breaksRule(outcome: Outcome): boolean {
  return outcome.kind === 'error' && outcome.fields.code?.startsWith('23') === true;
}

function done(result: pg.QueryArrayResult): Outcome {
  return {
    kind: 'done',
    tag: `${result.command} ${result.rowCount}`,
    fields: result.fields.map(({ name, dataTypeID, columnID, format }) => [
      name,
      dataTypeID,
      columnID,
      format,
    ]),
    rows: result.rows.map((row) => JSON.stringify(row)).sort(),
  };
}
