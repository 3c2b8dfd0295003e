/**
 * One run of a sequence (src/render/ordered/sequence.ts), in the transaction that is open. The steps find and lock rows, and return their
 * keys, which are held here and are the parameters of later steps: one round trip for each level, and one for all changes.
 */
import { ProxyError } from '../../../errors.js';
import type { Sequence } from '../../../render/ordered/sequence.js';
import type { Step } from '../../../render/ordered/step.js';
import { MOST_BYTES, MOST_SWEEPS } from '../../../render/sequence-limits.js';
import { inPlaceOf, type Rewrite } from '../../../rewrite/text.js';
import { dropColumns, readColumnTypes, readErrorFields, readRow } from '../../../wire/backend.js';
import { Block } from '../../../wire/block.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import { HeldAnswers } from '../../answers/held-answers.js';
import type { LimitWatch } from '../../answers/limit-watch.js';
import { sealed, sentText } from '../../answers/markers.js';
import { type ErrorTranslation, translateError } from '../../answers/server-errors.js';
import { passes } from '../../server/error-classes.js';
import type { Verdict } from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import { HeldKeys } from './held-keys.js';
import { type OrderedStatement, type SequenceParts, sendRefusal } from './ordered-statement.js';
import { type SentStep, StepSender } from './step-sender.js';
import { TakenRows } from './taken-rows.js';

/** In bytes. With more keys than this steps are sent one by one, as each message has a copy of them. */
const MOST_AT_ONCE = 1024 * 1024;

interface RunParts extends SequenceParts {
  /** Watches for a limit of the server's, where batches can take the place of the statement. */
  readonly limit: LimitWatch | undefined;
}

export class SequenceRun {
  readonly #parts: RunParts;
  readonly #sender: StepSender;
  readonly #statement: OrderedStatement;
  readonly #sequence: Sequence;
  readonly #sealed: Rewrite;
  readonly #keys: HeldKeys;
  /** The client's rows, which come before the tag, with their description where that is wanted. */
  readonly #rows = new Block();
  /** The client gets no notice of a run that is followed by another one. */
  readonly #notices: HeldAnswers;
  #problem: ProxyError | undefined;
  readonly #taken: TakenRows;
  #hasPassed = false;

  /** @param isLast no other run follows: the client gets any error */
  constructor(statement: OrderedStatement, parts: RunParts, isLast: boolean) {
    this.#parts = parts;
    this.#notices = new HeldAnswers(!isLast);
    this.#sender = new StepSender(parts.server, parts.replies, (notice) =>
      this.#notices.hold('forward', notice),
    );
    this.#statement = statement;
    this.#sequence = statement.program.sequence;
    this.#taken = new TakenRows([...this.#sequence.writes, this.#sequence.last]);
    this.#sealed = sealed(statement.rewrite);
    this.#keys = new HeldKeys(statement.cascade.target);
  }

  /** The rows that the client's own DELETE took. */
  get deleted(): number {
    return this.#taken.of(this.#sequence.last);
  }

  /** What was taken of each table, where that is known. */
  get taken(): TakenRows['rows'] {
    return this.#taken.rows;
  }

  /** Whether it has failed by an error that passes: the client has not got it, and the sequence may be run again. */
  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  /** The client's rows, where it has a RETURNING. */
  get rows(): Buffer {
    return this.#rows.bytes;
  }

  /**
   * @param answer gives what the client gets when all was done
   * @returns whether all was done; else the client has its error, unless `hasPassed`, and the server skips to the next Sync
   */
  async run(answer: () => Verdict = () => 'swallow'): Promise<boolean> {
    try {
      if (!(await this.#send([this.#roots()]))) return false;
      // A RETURNING without rows.
      const { types, rootColumns } = this.#sequence;
      const isUnknown = !this.#keys.has(0);
      if (isUnknown && !(await this.#send([this.#sent(types, this.#keysOf([0], [rootColumns]))])))
        return false;
      return await this.#deleteAll(answer);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      sendRefusal(error, this.#parts);
      return false;
    }
  }

  async #deleteAll(answer: () => Verdict): Promise<boolean> {
    const { levels, writes, last, sweep } = this.#sequence;
    for (let round = 0; ; round++) {
      for (const level of levels) if (!(await this.#collect(level))) return false;
      let isLate = false;
      const sent = [
        ...[...writes, last].map((step) => this.#sent(step, (answer) => this.#taken.hear(step, answer))),
        ...(sweep
          ? [
              this.#sent(sweep, (message) => {
                if (message.type === Backend.DataRow) isLate = readRow(message)[0]?.[0] === 1;
              }),
            ]
          : []),
      ];
      const isOver = () => !isLate || round === MOST_SWEEPS;
      if (!(await this.#send(sent, () => (isOver() ? this.#answer(answer()) : 'swallow')))) return false;
      if (isOver()) return true;
    }
  }

  /**
   * Sends steps in one go; one by one where each of them has many keys.
   * @throws ProxyError for what the answers have shown: too many keys, or such as cannot be held
   */
  async #send(steps: readonly SentStep[], answer?: () => Verdict): Promise<boolean> {
    const isLong = this.#keys.bytes > MOST_AT_ONCE;
    const last = steps.length - 1;
    for (const [i, step] of isLong ? steps.entries() : [])
      if (i < last && !(await this.#sender.send([step]))) return false;
    const isDone = await this.#sender.send(isLong ? steps.slice(last) : steps, answer);
    if (this.#problem) throw this.#problem;
    return isDone;
  }

  #collect(level: Sequence['levels'][number]): Promise<boolean> {
    const room = Math.max(MOST_BYTES - this.#keys.bytes, 0);
    const { plan } = this.#statement.cascade;
    return this.#send(
      level.map((step) => {
        const columns = step.collects.map((id) => plan.deletions[id]?.returns.length ?? 0);
        return this.#sent(step, this.#keysOf(step.collects, columns), Buffer.from(String(room)));
      }),
    );
  }

  /** The step that finds the client's own rows: only here are the client's conditions evaluated. */
  #roots(): SentStep {
    const { types, bind, offset, describes } = this.#statement;
    const { roots, rootColumns, returns } = this.#sequence;
    if (returns && describes) this.#describe();
    return {
      sql: this.#marked(roots.sql),
      types,
      bind,
      hear: returns ? this.#rowsOf() : this.#keysOf([0], [rootColumns]),
      translate: this.#translate(inPlaceOf(this.#sealed, roots), offset),
    };
  }

  /** @param more the value of the parameter after the keys */
  #sent({ sql, held }: Step, hear?: (message: Message) => void, more?: Buffer): SentStep {
    const { types, values } = this.#keys.parametersOf(held);
    const text = more === undefined ? [] : [more.toString('latin1')];
    return {
      sql: this.#marked(sql),
      types,
      bind: write.bindValues(REPEATED, SCRATCH, [...values, ...text]),
      ...(hear ? { hear } : {}),
      translate: this.#translate({ ...this.#sealed, sql, copied: [] }, 0),
    };
  }

  /** Holds the keys in the answer to a collecting step: so many columns of each of the deletions. */
  #keysOf(deletions: readonly number[], columns: readonly number[]): (message: Message) => void {
    let types: readonly number[] = [];
    return (message) => {
      if (message.type === Backend.RowDescription) types = readColumnTypes(message);
      const arrays = message.type === Backend.DataRow ? readRow(message).flatMap((each) => each ?? []) : [];
      let at = 0;
      deletions.forEach((deletion, i) => {
        const end = at + (columns[i] ?? 0);
        if (types.length > 0) this.#hold(deletion, types.slice(at, end), arrays.slice(at, end));
        at = end;
      });
    };
  }

  /** Holds the client's rows, and the keys before each of them. */
  #rowsOf(): (message: Message) => void {
    return (message) => {
      if (message.type !== Backend.DataRow || this.#problem) return;
      const words = readRow(message)[0]?.toString('latin1').split(' ') ?? [];
      const types = words.filter((_, i) => i % 2 === 0).map(Number);
      const arrays = words.filter((_, i) => i % 2 === 1).map((hex) => Buffer.from(hex, 'hex'));
      this.#rows.append(dropColumns(message, 1));
      this.#hold(0, types, arrays);
    };
  }

  #hold(deletion: number, types: readonly number[], arrays: readonly Buffer[]): void {
    if (this.#problem) return;
    const { target: table } = this.#statement.cascade;
    try {
      this.#keys.add(deletion, types, arrays);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      this.#problem = error;
    }
    if (this.#keys.bytes + this.#rows.size <= MOST_BYTES) return;
    this.#problem = new ProxyError('PGC_ORDERED_KEYS', { table });
    this.#rows.clear();
  }

  /** Has the client's own text described: its errors come first, and the client gets its description. */
  #describe(): void {
    const { types, rewrite, offset } = this.#statement;
    this.#sender.describe({
      sql: rewrite.sql,
      types,
      hear: (message) => {
        if (message.type === Backend.RowDescription) this.#rows.append(whole(message));
      },
      translate: this.#translate(this.#sealed, offset),
    });
  }

  #marked(sql: string): string {
    return sentText({ ...this.#sealed, sql });
  }

  #translate(rewrite: Rewrite, offset: number): (error: Message) => Verdict {
    const translation: ErrorTranslation = { ...this.#parts.decider.translation(rewrite), offset };
    return (error) => {
      if (this.#parts.limit?.intercepts(error, this.#statement.cascade, translation)) return 'swallow';
      this.#hasPassed =
        this.#notices.isHolding && passes(readErrorFields(error), this.#parts.state.profile.family);
      if (this.#hasPassed) return 'swallow';
      const verdict = translateError(error, this.#statement.cascade, translation);
      return verdict === 'swallow' ? verdict : this.#notices.release(verdict, error);
    };
  }

  /** The notices come before the answer. */
  #answer(verdict: Verdict): Verdict {
    if (!(verdict instanceof Buffer)) return this.#notices.end();
    const all = this.#notices.end(verdict);
    return this.#parts.limit?.keep(all) ?? all;
  }
}
