/**
 * Executes a statement in batches: page by page, each a transaction of its own. Where one fails, those before it stay done: the error says
 * how much that is.
 */
import type { BATCH_ERRORS } from '../../../errors/batch-errors.js';
import { ProxyError } from '../../../errors.js';
import { MOST_ATTEMPTS } from '../../../rewrite/retries.js';
import type { Rewrite } from '../../../rewrite/text.js';
import { type ErrorFields, errorResponse } from '../../../wire/backend.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import { HeldAnswers } from '../../answers/held-answers.js';
import { ownAnswer } from '../../answers/own-answer.js';
import type { Translation } from '../../answers/results.js';
import {
  LIMIT_REACHED,
  proxyFailure,
  withHint,
  withReasonAgainstBatches,
} from '../../answers/server-errors.js';
import { SCRATCH } from '../../server/own-statements.js';
import { TakenRows } from '../ordered/taken-rows.js';
import { batchDone, limitReached } from './batch-notices.js';
import { failInPlace, REPEATED_WHERE } from './failing.js';
import { type PageError, pageError } from './page-error.js';
import { type PageResult, PageRun } from './page-run.js';
import type { PagedParts, PagedStatement } from './paged-statement.js';

type BatchErrorName = Exclude<keyof typeof BATCH_ERRORS, `${string}_VALUE` | 'PGC_BATCH_KEYS'>;

/**
 * Executes a statement in batches, or refuses it.
 * @param obstacle why it cannot be done in batches, where that is known already
 * @returns a promise that is fulfilled when the client has its answer
 */
export async function executePaged(
  statement: PagedStatement,
  obstacle: string | undefined,
  parts: PagedParts,
): Promise<void> {
  const protocol = statement.values === undefined ? 'simple' : 'extended';
  const execution = new PagedExecution(statement, parts);
  const isHarmless =
    obstacle === undefined && (await parts.harmlessness.judge(statement.program.pages, protocol));
  // The client has got an error.
  if (isHarmless === 'failed') return;
  if (isHarmless) await execution.run();
  else await execution.refuse(obstacle ?? REPEATED_WHERE);
}

/** How a transaction has ended. After `last` the client has its answer; after `failed` nothing of it has reached the client. */
type Ended = 'committed' | 'last' | 'failed';

class PagedExecution {
  readonly #statement: PagedStatement;
  readonly #parts: PagedParts;
  /** Made when the execution begins: the time since then is what the listeners are told that the cascade has taken. */
  readonly #translation: Translation;
  #error: PageError | undefined;
  /** Rows of the next page at most. */
  #most: number;
  /** The last limit of the server's that a page has reached; fewer rows were tried then. */
  #limit: ErrorFields | undefined;
  #pages = 0;
  readonly #taken: TakenRows;

  constructor(statement: PagedStatement, parts: PagedParts) {
    this.#statement = statement;
    this.#parts = parts;
    this.#most = statement.program.pages.rows;
    this.#taken = new TakenRows(statement.program.pages.writes.map(({ step }) => step));
    const translation = parts.decider.translation(statement.rewrite);
    const { tell } = translation;
    this.#translation = {
      ...translation,
      tell: (news) => tell(news.kind === 'failed' ? { ...news, taken: this.#taken.rows } : news),
    };
  }

  /** @param what why it cannot be done in batches */
  async refuse(what: string): Promise<void> {
    const { reached } = this.#statement;
    if (reached === undefined) return this.#end('PGC_BATCH', { what });
    const { told, error, statement } = reached;
    this.#translation.tell({ kind: 'failed', error, statement });
    const fields = withReasonAgainstBatches(told, what, this.#translation.encoding());
    await this.#fail(errorResponse(fields, 'latin1'));
  }

  /**
   * Carries the statement out. In the place of a Query the ReadyForQuery of the last page is the client's; in the place of an Execute the
   * client's own Sync brings one, and after an error the server is made to skip to that Sync.
   */
  async run(): Promise<void> {
    const { replies, stops } = this.#parts;
    const { cancels } = stops;
    this.#begin();
    const { ask } = this.#statement.program.pages;
    let asked: number | undefined;
    if (ask !== undefined) {
      const ended = await this.#tried(async (page) => {
        asked = await page.ask(ask);
        return asked === undefined ? undefined : NOTHING;
      });
      if (ended === 'failed') return;
    }
    for (let moved = 0; ; ) {
      let obstacle: PageResult['obstacle'];
      const ended = await this.#tried(async (page) => {
        const result = await page.run(this.#most);
        obstacle = result?.obstacle;
        return result;
      }, asked);
      if (replies.ended && ended !== 'last') return this.#lost();
      if (ended !== 'committed') return;
      if (obstacle === 'kept') return this.#end('PGC_BATCH_KEPT');
      moved = obstacle === 'moved' ? moved + 1 : 0;
      if (obstacle === 'circle' || moved === MOST_ATTEMPTS || (moved > 0 && this.#limit)) return this.#stop();
      if (stops.cancels !== cancels) return this.#end('PGC_BATCH_CANCELED');
      if (stops.isDraining) return this.#end('PGC_BATCH_DRAINING');
    }
  }

  /** Drops the unnamed statement, as a Query does; and tells the client why there are batches, where it has not asked for them. */
  #begin(): void {
    const { replies, server } = this.#parts;
    const { cascade, reached } = this.#statement;
    const told = reached && limitReached(cascade.target, this.#most, this.#translation.encoding());
    server.write(write.close('S', this.#isQuery ? '' : SCRATCH));
    replies.expect('Close', { receive: () => told ?? 'swallow' });
  }

  /** The client gets nothing more, and what is gone is known here alone. */
  #lost(): void {
    this.#translation.tell({
      kind: 'lost',
      statement: this.#statement.cascade,
      taken: this.#taken.rows,
    });
  }

  /** No row could be taken: the rows of a cycle are more than a page has, or than the server takes in one transaction. */
  #stop(): Promise<void> {
    if (this.#limit === undefined) return this.#end('PGC_BATCH_CYCLE');
    const { cascade } = this.#statement;
    this.#translation.tell({ kind: 'failed', error: LIMIT_REACHED, statement: cascade });
    return this.#fail(errorResponse(this.#withGone(this.#limit), 'latin1'));
  }

  /**
   * Does the work of one transaction, and again after each error that passes, or with fewer rows: a transaction that fails is undone as a whole.
   * @param asked how many rows the client's DELETE takes, where the server was asked
   */
  async #tried(work: (page: PageRun) => Promise<PageResult | undefined>, asked?: number): Promise<Ended> {
    for (let attempt = 1; ; attempt++) {
      this.#error = undefined;
      // The client gets no notice of a transaction that is done again.
      const notices = new HeldAnswers(true);
      const ended = await this.#transaction(work, asked, notices);
      if (ended !== 'failed' || this.#parts.replies.ended) return ended;
      const { told, error, statement, passes } = this.#failure;
      if (passes && attempt < MOST_ATTEMPTS) {
        this.#parts.events.retried(passes);
        continue;
      }
      if (error === LIMIT_REACHED && this.#shrink(told)) {
        attempt--;
        continue;
      }
      this.#translation.tell({ kind: 'failed', error, statement });
      await this.#fail(notices.end(errorResponse(this.#withGone(told), 'latin1')));
      return ended;
    }
  }

  /** @returns whether fewer rows may be tried */
  #shrink(told: ErrorFields): boolean {
    if (!this.#statement.program.shrinks || this.#most === 1) return false;
    this.#most = Math.ceil(this.#most / 2);
    this.#limit = told;
    return true;
  }

  async #transaction(
    work: (page: PageRun) => Promise<PageResult | undefined>,
    asked: number | undefined,
    notices: HeldAnswers,
  ): Promise<Ended> {
    const { jit, replies, server } = this.#parts;
    jit.off();
    const failed = (error: Message, rewrite: Rewrite) => this.#failed(error, rewrite);
    const done = await work(new PageRun(this.#statement, this.#parts, failed, notices));
    jit.endUnit();
    return new Promise((resolve) => {
      server.write(write.sync());
      replies.expect('Sync', {
        receive: (message) => {
          if (message.type === Backend.ErrorResponse) this.#failed(message, this.#statement.rewrite);
          if (message.type !== Backend.ReadyForQuery) return 'swallow';
          if (done === undefined || this.#error !== undefined) {
            resolve('failed');
            return 'swallow';
          }
          this.#taken.add(done.taken);
          const { total } = done.taken;
          if (total > 0) this.#pages++;
          resolve(done.isLast ? 'last' : 'committed');
          if (done.isLast) return notices.end(this.#answer(asked, message));
          return total > 0 ? notices.end(batchDone(this.#pages, total, this.#taken.total)) : notices.end();
        },
        notice: (notice) => notices.hold('forward', notice),
        skipped: () => resolve('failed'),
      });
      server.flush();
    });
  }

  /** Where a table references itself, its tags do not tell the client's own rows from others: these were counted before. */
  #answer(asked: number | undefined, ready: Message): Buffer {
    const { cascade, program } = this.#statement;
    const deleted = asked ?? this.#taken.of(program.pages.clients);
    const answer = ownAnswer(cascade, { deleted, taken: this.#taken.rows }, this.#translation);
    return this.#isQuery ? Buffer.concat([answer, whole(ready)]) : answer;
  }

  /** Remembers the first error of a transaction. */
  #failed(message: Message, rewrite: Rewrite): void {
    const translation = this.#parts.decider.translation(rewrite);
    this.#error ??= pageError(message, this.#statement.cascade, translation);
  }

  get #failure(): PageError {
    if (this.#error === undefined) throw new Error('a transaction fails by an error');
    return this.#error;
  }

  get #isQuery(): boolean {
    return this.#statement.values === undefined;
  }

  /** Ends the statement with an error of the proxy's own: no page follows. */
  async #end(name: BatchErrorName, values: Readonly<Record<string, string>> = {}): Promise<void> {
    const { cascade } = this.#statement;
    const error = new ProxyError(name, { table: cascade.target, ...values });
    await this.#fail(proxyFailure(error, cascade, this.#translation, (fields) => this.#withGone(fields)));
  }

  #withGone(fields: ErrorFields): ErrorFields {
    if (this.#taken.total === 0) return fields;
    const gone = `${this.#taken.total} rows are gone, in ${this.#pages} transactions; the same statement again goes on from there.`;
    return withHint(fields, gone);
  }

  #fail(error: Buffer): Promise<void> {
    return failInPlace(error, this.#isQuery ? 'Query' : 'Execute', this.#parts);
  }
}

const NOTHING: PageResult = { taken: new TakenRows([]), isLast: false, obstacle: undefined };
