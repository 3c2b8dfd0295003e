/**
 * Carries out one page (src/render/paged/pages.ts): finds rows from the client's own down, and deletes as many as one transaction may take.
 * Nothing of it is kept for the next page.
 */
import type { Step } from '../../../render/ordered/step.js';
import type { Spliced } from '../../../render/splice.js';
import { inPlaceOf, type Rewrite } from '../../../rewrite/text.js';
import { readColumnTypes, readErrorFields, readRow } from '../../../wire/backend.js';
import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import type { HeldAnswers } from '../../answers/held-answers.js';
import { sealed, sentText } from '../../answers/markers.js';
import type { Verdict } from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import { HeldKeys } from '../ordered/held-keys.js';
import { type SentStep, StepSender } from '../ordered/step-sender.js';
import { TakenRows } from '../ordered/taken-rows.js';
import { choosePage, type Found } from './page-choice.js';
import type { PagedParts, PagedStatement } from './paged-statement.js';

export interface PageResult {
  /** Rows that were deleted, or lost a key. */
  readonly taken: TakenRows;
  readonly isLast: boolean;
  /**
   * Why none was taken, where there were some: a trigger keeps them; they reference each other in a circle, and are more than a page; or
   * others have changed or deleted what was found before it was locked, so that another look finds other rows. undefined where some were taken.
   */
  readonly obstacle: 'kept' | 'circle' | 'moved' | undefined;
}

/** The values of a Query: it has none. */
const NONE = { types: [], bind: write.bindValues(REPEATED, SCRATCH, []) };

export class PageRun {
  readonly #sender: StepSender;
  readonly #statement: PagedStatement;
  readonly #sealed: Rewrite;
  readonly #keys: HeldKeys;
  readonly #onError: (error: Message, rewrite: Rewrite) => void;
  readonly #found: Found[] = [];

  /**
   * @param onError is given each error, with what was sent; the client does not get it
   * @param notices holds the notices of the server
   */
  constructor(
    statement: PagedStatement,
    parts: PagedParts,
    onError: (error: Message, rewrite: Rewrite) => void,
    notices: HeldAnswers,
  ) {
    this.#sender = new StepSender(parts.server, parts.replies, (notice) => notices.hold('forward', notice));
    this.#statement = statement;
    this.#sealed = sealed(statement.rewrite);
    this.#keys = new HeldKeys(statement.cascade.target);
    this.#onError = onError;
  }

  /** Asks all rules. @returns the number of the client's rows; undefined where an error has come */
  async ask(ask: Spliced): Promise<number | undefined> {
    let count = 0;
    const hear = (message: Message) => {
      if (message.type === Backend.DataRow) count = Number(readRow(message)[0]?.readBigInt64BE() ?? 0);
    };
    return (await this.#sender.send([this.#client(ask, hear)])) ? count : undefined;
  }

  /**
   * Finds and deletes; the caller ends the transaction.
   * @param most how many rows it takes: no more than the steps look for
   * @returns undefined where an error has come
   */
  async run(most: number): Promise<PageResult | undefined> {
    const { nodes, roots, levels, rules, writes, end } = this.#statement.program.pages;
    if (!(await this.#sender.send([this.#client(roots, this.#finds(0, [0], false))]))) return undefined;
    for (const level of levels) {
      const sent = level.map(({ node, step }) =>
        this.#sent(step, this.#keys, this.#finds(node, step.collects, nodes[node]?.kind === 'cycle')),
      );
      if (!(await this.#sender.send(sent))) return undefined;
    }
    const { taken, isLast } = choosePage(nodes, this.#found, most);
    const counts = new Map<number, number>();
    nodes.forEach(({ deletions }, i) => {
      for (const { id } of deletions) counts.set(id, taken[i] === 0 ? 0 : this.#takenOf(id, taken[i] ?? 0));
    });
    const keys = this.#keys.first((deletion) => counts.get(deletion) ?? 0);
    const tally = new TakenRows(writes.map(({ step }) => step));
    const changed = writes
      .filter(({ node }) => taken[node] !== 0)
      .map(({ step }) => this.#sent(step, keys, (answer) => tally.hear(step, answer)));
    const asked = rules.map((step) => this.#sent(step, keys));
    const ending = end ? [this.#sent(end, keys)] : [];
    if (!(await this.#sender.send([...asked, ...changed, ...ending]))) return undefined;
    return { taken: tally, isLast, obstacle: tally.total > 0 ? undefined : this.#obstacle(taken) };
  }

  #obstacle(taken: readonly number[]): PageResult['obstacle'] {
    if (taken.some((count) => count > 0)) return 'kept';
    return this.#found.some(({ isCircle }) => isCircle) ? 'circle' : 'moved';
  }

  /** How many rows of a deletion are taken: all of them where its node has several deletions. */
  #takenOf(deletion: number, taken: number): number {
    return Math.min(this.#keys.countOf(deletion), taken);
  }

  /** Holds what a step has found. @param isFlagged the flags of a cycle stand before the arrays */
  #finds(node: number, deletions: readonly number[], isFlagged: boolean): (message: Message) => void {
    const { plan } = this.#statement.cascade;
    const { pages } = this.#statement.program;
    const first = isFlagged ? 3 : 0;
    let types: readonly number[] = [];
    return (message) => {
      if (message.type === Backend.RowDescription) types = readColumnTypes(message);
      if (message.type !== Backend.DataRow) return;
      const row = readRow(message);
      let at = first;
      for (const id of deletions) {
        const { returns } = pages.nodes[node]?.deletions.find((each) => each.id === id) ?? {
          returns: plan.deletions[id]?.returns ?? [],
        };
        const end = at + returns.length;
        this.#keys.add(
          id,
          types.slice(at, end),
          row.slice(at, end).flatMap((each) => each ?? []),
        );
        at = end;
      }
      const count = deletions.reduce((sum, id) => sum + this.#keys.countOf(id), 0);
      const [isWhole, hasMore, isCircle] = isFlagged
        ? [row[0]?.[0] === 1, row[1]?.[0] === 1, row[2]?.[0] === 1]
        : [false, count > pages.rows, false];
      this.#found[node] = { count, hasMore, isWhole, isCircle };
    };
  }

  /** A step that has the client's own text in it: the positions of its errors are in that. */
  #client(spliced: Spliced, hear: (message: Message) => void): SentStep {
    const { types, bind } = this.#statement.values ?? NONE;
    const translate = this.#failed(inPlaceOf(this.#sealed, spliced));
    return { sql: this.#marked(spliced.sql), types, bind, hear, translate };
  }

  #sent({ sql, held }: Step, keys: HeldKeys, hear?: (message: Message) => void): SentStep {
    const { types, values } = keys.parametersOf(held);
    const bind = write.bindValues(REPEATED, SCRATCH, values);
    return {
      sql: this.#marked(sql),
      types,
      bind,
      ...(hear ? { hear } : {}),
      translate: this.#failed({ ...this.#sealed, sql, copied: [] }),
    };
  }

  #failed(rewrite: Rewrite): (error: Message) => Verdict {
    return (error) => {
      if (readErrorFields(error).size > 0) this.#onError(error, rewrite);
      return 'swallow';
    };
  }

  #marked(sql: string): string {
    return sentText({ ...this.#sealed, sql });
  }
}
