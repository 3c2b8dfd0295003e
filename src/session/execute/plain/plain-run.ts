/**
 * One run of a sequence of plain statements, in the transaction that is open, if there is one. It finds the client's rows, and level by level
 * the rows that reference them; checks all rules; then updates the rows that are kept, and deletes the others, leaves first. At the end it
 * queries for rows that other transactions have committed meanwhile, and where there are any, does all of it again for these.
 */
import { ProxyError } from '../../../errors.js';
import type { Relation } from '../../../graph/model.js';
import { FoundRows, type Level } from '../../../render/plain/found-rows.js';
import { type Key, literalOf } from '../../../render/plain/literals.js';
import { refusedBy } from '../../../render/plain/refusal.js';
import {
  askRules,
  changeRows,
  collect,
  countOrphans,
  deleteBelow,
  deleteInLayers,
  deleteRoots,
  type PlainContext,
  type RuleQuestion,
  refreshTables,
  sweep,
} from '../../../render/plain/statements.js';
import { MOST_BYTES, MOST_SWEEPS } from '../../../render/sequence-limits.js';
import { dropColumns, dropFields, readColumnTypes, readRow } from '../../../wire/backend.js';
import { Block } from '../../../wire/block.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import { violationFields } from '../../answers/violation-fields.js';
import type { PlainSender } from './plain-sender.js';
import type { PlainParts, PlainStatement } from './plain-statement.js';
import { RunStatements } from './run-statements.js';
import { Stopped } from './stopped.js';

export class PlainRun {
  readonly #statement: PlainStatement;
  readonly #parts: PlainParts;
  readonly #sender: PlainSender;
  readonly #statements: RunStatements;
  readonly #context: PlainContext;
  readonly #client: Relation;
  /** The client's rows, with their description where the client gets one. */
  readonly #rows = new Block();
  /** For each SET DEFAULT key, by its check, how many rows referenced nothing before the run changed any. */
  #orphans: ReadonlyMap<number, number> = new Map();
  #problem: ProxyError | undefined;
  #deleted = 0;

  constructor(statement: PlainStatement, parts: PlainParts, sender: PlainSender) {
    const { family, inLayers } = statement.program.sequence;
    const { plan } = statement.cascade;
    const [client] = plan.deletions;
    if (client === undefined) throw new Error('a plan has a deletion of the client');
    this.#statement = statement;
    this.#parts = parts;
    this.#sender = sender;
    this.#statements = new RunStatements(statement, parts, sender);
    this.#client = client.relation;
    const { lock, plain, transport } = family;
    const rows = new FoundRows(plan, inLayers);
    this.#context = { plan, rows, plain, transport, locks: lock === 'FOR UPDATE' };
  }

  /** The rows that the client's own DELETE took. */
  get deleted(): number {
    return this.#deleted;
  }

  /** What the client gets before the tag. */
  get rows(): Buffer {
    return this.#rows.bytes;
  }

  /** How many rows of each table were changed or deleted. */
  get taken(): RunStatements['taken'] {
    return this.#statements.taken;
  }

  /** How many rows were changed or deleted in all; undefined as long as nothing was sent that does so. */
  get changed(): number | undefined {
    return this.#statements.changed;
  }

  /** @throws Stopped */
  async run(): Promise<void> {
    const { plan, rows } = this.#context;
    await this.#statements.ask(refreshTables(this.#context, this.#statement.program.sequence.family));
    await this.#findRoots();
    if (rows.roots === 0) return;
    this.#orphans = await this.#countOrphans();
    for (let round = 0; round <= MOST_SWEEPS; round++) {
      await this.#collect();
      await this.#askRules();
      await this.#statements.change(changeRows(this.#context));
      if (rows.layers) await this.#deleteInLayers(round === 0);
      else {
        await this.#statements.change(deleteBelow(this.#context));
        if (round === 0) await this.#deleteRoots();
      }
      if (!(await this.#findsLate())) break;
    }
    for (const [check, count] of await this.#countOrphans())
      if (count > (this.#orphans.get(check) ?? 0))
        throw this.#violated(check, plan.checks[check]?.key.columns.map(() => 'default') ?? []);
  }

  /** Finds the client's rows. No other statement evaluates the client's conditions. */
  async #findRoots(): Promise<void> {
    const { message, program, values } = this.#statement;
    const { added, returns, roots } = program.sequence;
    let types: readonly number[] = [];
    const onAnswer = (answer: Message) => {
      if (answer.type === Backend.RowDescription) {
        types = readColumnTypes(answer);
        if (returns && message === 'Query') this.#rows.append(dropFields(answer, added));
      }
      if (answer.type !== Backend.DataRow || this.#problem) return;
      const [schema, ...key] = readRow(answer).slice(0, added);
      this.#checkSchema(schema?.toString('utf8'));
      this.#add(this.#client, key, types.slice(1), 'client');
      if (returns) this.#rows.append(dropColumns(answer, added));
    };
    const reply = values
      ? await this.#sender.withValues(roots.sql, values, { onAnswer })
      : await this.#sender.query(roots.sql, { onAnswer });
    if (reply.kind === 'lost') throw new Stopped();
    if (reply.kind === 'failed') throw new Stopped(reply.error, true);
    if (this.#problem) throw new Stopped(this.#problem);
  }

  #checkSchema(schema: string | undefined): void {
    const wanted = this.#statement.program.sequence.schema;
    if (wanted === undefined || schema?.toLowerCase() === wanted.toLowerCase()) return;
    const { target: table } = this.#statement.cascade;
    this.#problem ??= new ProxyError('PGC_FAMILY_NAME', { table, schema: schema ?? 'no schema' });
  }

  /** Finds rows level by level: a level has the rows that reference rows of the level above. A cycle ends with the level that has no new rows. */
  async #collect(): Promise<void> {
    const { rows } = this.#context;
    rows.endLevel();
    for (let above: Level | undefined; ; ) {
      const level = collect(above, this.#context);
      if (level.length === 0) return;
      const types = new Map<number, readonly number[]>();
      await this.#statements.ask(
        level.map(({ sql }) => sql),
        (answer, i) => {
          if (answer.type === Backend.RowDescription) types.set(i, readColumnTypes(answer));
          const relation = level[i]?.relation;
          if (answer.type === Backend.DataRow && relation && !this.#problem)
            this.#add(relation, readRow(answer), types.get(i) ?? [], 'key');
        },
      );
      if (this.#problem) throw new Stopped(this.#problem);
      above = rows.endLevel();
    }
  }

  /** Adds a row that was found. @param values its columns, as the server has sent them in text format */
  #add(
    relation: Relation,
    values: readonly (Buffer | null)[],
    types: readonly number[],
    origin: 'client' | 'key',
  ): void {
    const { rows, plain } = this.#context;
    const { target: table } = this.#statement.cascade;
    const { family } = this.#statement.program.sequence;
    const refuse = (what: string) => {
      this.#problem ??= refusedBy(family, table, what);
    };
    const key: Key = values.map((value, i) => {
      if (value === null) return null;
      const literal = literalOf(value.toString('utf8'), types[i] ?? 0, plain);
      if (literal === undefined) refuse(`a key of ${relation.name} cannot be written as a literal`);
      return literal ?? null;
    });
    if (!rows.add(relation, key, origin))
      refuse(`a row of ${relation.name} has NULL where others reference it`);
    if (rows.bytes + this.#rows.size > MOST_BYTES)
      this.#problem ??= new ProxyError('PGC_ORDERED_KEYS', { table });
  }

  async #askRules(): Promise<void> {
    const questions = askRules(this.#context);
    let broken: { readonly check: number; readonly values: readonly string[] } | undefined;
    await this.#statements.ask(
      questions.map(({ sql }) => sql),
      (answer, i) => {
        const check = questions[i]?.check;
        if (answer.type === Backend.DataRow && check !== undefined)
          broken ??= { check, values: readRow(answer).map((value) => value?.toString('latin1') ?? 'null') };
      },
    );
    if (broken) throw this.#violated(broken.check, broken.values);
  }

  /** Deletes layer by layer, where each statement is a transaction of its own. @param isFirst the client's rows are still there */
  async #deleteInLayers(isFirst: boolean): Promise<void> {
    for (const each of deleteInLayers(this.#context)) {
      const deleted = await this.#statements.change([each]);
      if (isFirst && each.takes.action === 'delete') this.#deleted += deleted;
    }
    // Without a transaction nothing could be undone.
    const isWhole = this.#statement.program.sequence.family.transactions.kind !== 'none';
    if (isFirst && isWhole) this.#refuseKept();
  }

  async #deleteRoots(): Promise<void> {
    this.#deleted = await this.#statements.change(deleteRoots(this.#context));
    this.#refuseKept();
  }

  /** @throws Stopped where the server has kept some of the client's rows, as a trigger may */
  #refuseKept(): void {
    const { target: table } = this.#statement.cascade;
    const { roots } = this.#context.rows;
    if (this.#deleted !== roots)
      throw new Stopped(
        new ProxyError('PGC_FAMILY_KEPT', { table, found: String(roots), deleted: String(this.#deleted) }),
      );
  }

  async #findsLate(): Promise<boolean> {
    let isLate = false;
    await this.#statements.ask(sweep(this.#context), (answer) => {
      if (answer.type === Backend.DataRow) isLate = true;
    });
    return isLate;
  }

  /** How many rows of each SET DEFAULT key reference nothing, by the index of its check. */
  async #countOrphans(): Promise<ReadonlyMap<number, number>> {
    const questions: readonly RuleQuestion[] = countOrphans(this.#context.plan);
    const counts = new Map<number, number>();
    await this.#statements.ask(
      questions.map(({ sql }) => sql),
      (answer, i) => {
        const check = questions[i]?.check;
        if (answer.type === Backend.DataRow && check !== undefined)
          counts.set(check, Number(readRow(answer)[0]?.toString('latin1')));
      },
    );
    return counts;
  }

  /** Stops with the error that PostgreSQL gives for this rule. */
  #violated(check: number, values: readonly string[]): Stopped {
    const { decider, state } = this.#parts;
    const { cascade, rewrite } = this.#statement;
    const marker = { kind: 'check', check, table: 0, values: `(${values.join(', ')})` } as const;
    return new Stopped(
      violationFields(cascade, marker, state.profile, decider.translation(rewrite).encoding()),
    );
  }
}
