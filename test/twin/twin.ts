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

export interface Difference {
  readonly statement: string;
  readonly native: unknown;
  readonly emulated: unknown;
}

export class Twins {
  readonly #clients: Readonly<Record<Twin, pg.Client>>;
  readonly #pipelines: Readonly<Record<Twin, pg.Client>>;
  #named = 0;

  private constructor(clients: Record<Twin, pg.Client>, pipelines: Record<Twin, pg.Client>) {
    this.#clients = clients;
    this.#pipelines = pipelines;
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
    return new Twins(
      { native: await open(direct, false), emulated: await open(proxied, false) },
      { native: await open(direct, true), emulated: await open(proxied, true) },
    );
  }

  async end(): Promise<void> {
    for (const client of [...Object.values(this.#clients), ...Object.values(this.#pipelines)]) await client.end();
  }

  /** @returns the first difference, or undefined where both twins did the same throughout */
  async compare(given: Case): Promise<Difference | undefined> {
    await Promise.all([this.#prepare(given, 'native', createTwin), this.#prepare(given, 'emulated', createTwin)]);
    for (const statement of given.statements) {
      this.#named++;
      const [native, emulated] = await Promise.all([
        this.#run(given, statement, 'native'),
        this.#run(given, statement, 'emulated'),
      ]);
      if (JSON.stringify(native) !== JSON.stringify(emulated))
        return { statement: deleteSql(given, statement, 'emulated').text, native, emulated };
      await Promise.all([this.#prepare(given, 'native', refill), this.#prepare(given, 'emulated', refill)]);
    }
    return undefined;
  }

  async #prepare(given: Case, twin: Twin, sql: (given: Case, twin: Twin) => string): Promise<void> {
    await this.#clients[twin].query(sql(given, twin));
    await this.#pipelines[twin].query(`SET search_path = ${twin}`);
  }

  /** The statement's outcome, everything that is left afterwards, and the same again where it ran in a transaction. */
  async #run(given: Case, statement: Statement, twin: Twin): Promise<unknown> {
    const client = statement.manner === 'pipelined' ? this.#pipelines[twin] : this.#clients[twin];
    const left = async () => (await this.#clients[twin].query(contents(given, twin))).rows;
    if (statement.transaction === 'none') return [await this.#delete(given, statement, twin, client), await left()];
    await client.query('BEGIN');
    if (statement.transaction === 'savepoint') await client.query('SAVEPOINT s');
    const outcome = await this.#delete(given, statement, twin, client);
    if (statement.transaction === 'savepoint') {
      await client.query('ROLLBACK TO s');
      return [outcome, (await client.query(contents(given, twin))).rows, (await client.query('COMMIT')).command];
    }
    return [outcome, (await client.query('COMMIT')).command, await left()];
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
      // A named statement is executed twice: the second time finds nothing, unless the first failed.
      const first = client.query(query);
      if (statement.manner !== 'pipelined') return done(await first);
      const [result] = await Promise.all([first, client.query('SELECT 1')]);
      return done(result);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const { code, message, detail, schema, table, column, constraint, hint, position } = error;
      const fields = { code, message, detail, schema: schema?.replace(twin, 'twin'), table, column, constraint, hint, position };
      return { kind: 'error', fields };
    }
  }
}

function done(result: pg.QueryArrayResult): Outcome {
  return {
    kind: 'done',
    tag: `${result.command} ${result.rowCount}`,
    fields: result.fields.map(({ name, dataTypeID, columnID, format }) => [name, dataTypeID, columnID, format]),
    rows: result.rows.map((row) => JSON.stringify(row)).sort(),
  };
}
