/**
 * Executes a statement page by page, each a transaction of its own. What goes wrong in one leaves those before it done: the
 * error says how much that is.
 */
import { ProxyError } from '../../../errors.js';
import { FAIL_REFUSED } from '../../../render/violations.js';
import type { Rewrite } from '../../../rewrite/text.js';
import {
  commandComplete,
  type ErrorFields,
  errorResponse,
  Field,
  noticeResponse,
  readErrorFields,
} from '../../../wire/backend.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import { markerOf } from '../../answers/markers.js';
import { translatedFields } from '../../answers/server-errors.js';
import { proxyErrorFields } from '../../server/farewell.js';
import { SCRATCH } from '../../server/own-statements.js';
import { type PageResult, PageRun } from './page-run.js';
import type { PagedParts, PagedStatement } from './paged-statement.js';

/** How often a page is tried again that others have got in the way of. */
const MOST_ATTEMPTS = 5;
const TRIED_AGAIN: ReadonlySet<string | undefined> = new Set(['40001', '40P01']);

/** What stands against a WHERE that each page evaluates again. */
const REPEATED_WHERE =
  'a WHERE that may call something volatile or read a view, or a table whose rows the role may not lock';

/**
 * Executes a statement in pages, or has it refused.
 * @param obstacle what stands against pages already
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
  if (isHarmless) return execution.run();
  await execution.refuse(obstacle ?? REPEATED_WHERE);
}

class PagedExecution {
  readonly #statement: PagedStatement;
  readonly #parts: PagedParts;
  #error: { readonly fields: ErrorFields; readonly mayBeRetried: boolean } | undefined;
  #gone = 0;
  #pages = 0;
  #clientRows = 0;
  #asked = 0;

  constructor(statement: PagedStatement, parts: PagedParts) {
    this.#statement = statement;
    this.#parts = parts;
  }

  /** @param what stands against it */
  async refuse(what: string): Promise<void> {
    const { target: table } = this.#statement.cascade;
    await this.#fail(proxyErrorFields(new ProxyError('PGC_BATCH', { table, what })));
  }

  /**
   * Carries it out. In the place of a Query the client's ReadyForQuery comes with the last page's; in that of an Execute its own Sync
   * brings one, and the server is made to skip to that behind an error.
   */
  async run(): Promise<void> {
    const { cancels } = this.#parts.stops;
    const isAsked = await this.#transaction(async (page) => {
      const asked = await page.ask();
      this.#asked = asked ?? 0;
      return asked === undefined ? undefined : { rows: 0, clientRows: 0, isLast: false };
    });
    for (let attempts = 0; isAsked && this.#error === undefined; ) {
      const before = this.#gone;
      const isOver = await this.#transaction((page) => page.run());
      if (this.#parts.replies.ended || isOver === 'last') return;
      if (this.#takesAnother(attempts)) {
        attempts++;
        continue;
      }
      attempts = 0;
      if (this.#error === undefined) this.#stop(before, cancels);
    }
    if (!this.#parts.replies.ended && this.#error) await this.#fail(this.#error.fields);
  }

  #takesAnother(attempts: number): boolean {
    if (!this.#error?.mayBeRetried || attempts >= MOST_ATTEMPTS) return false;
    this.#error = undefined;
    return true;
  }

  /** Why no other page follows, if anything asks for that. */
  #stop(before: number, cancels: number): void {
    const { stops } = this.#parts;
    const { target: table } = this.#statement.cascade;
    const end = (name: 'PGC_BATCH_CYCLE' | 'PGC_BATCH_CANCELED' | 'PGC_BATCH_DRAINING') => {
      this.#error = { fields: proxyErrorFields(new ProxyError(name, { table })), mayBeRetried: false };
    };
    if (this.#gone === before) end('PGC_BATCH_CYCLE');
    else if (stops.cancels !== cancels) end('PGC_BATCH_CANCELED');
    else if (stops.isDraining) end('PGC_BATCH_DRAINING');
  }

  /** One transaction. @returns whether it has committed, or was the `last` and the client has its answer */
  async #transaction(work: (page: PageRun) => Promise<PageResult | undefined>): Promise<boolean | 'last'> {
    const { jit, replies, server } = this.#parts;
    jit.off();
    const page = new PageRun(this.#statement, this.#parts, (error, rewrite) => this.#failed(error, rewrite));
    const done = await work(page);
    jit.endUnit();
    return new Promise((resolve) => {
      server.write(write.sync());
      replies.expect('Sync', {
        receive: (message) => {
          if (message.type === Backend.ErrorResponse) this.#failed(message, this.#statement.rewrite);
          if (message.type !== Backend.ReadyForQuery) return 'swallow';
          const isDone = done !== undefined && this.#error === undefined;
          resolve(isDone && done.isLast ? 'last' : isDone);
          if (!isDone) return 'swallow';
          this.#gone += done.rows;
          this.#clientRows += done.clientRows;
          if (done.rows > 0) this.#pages++;
          if (!done.isLast) return done.rows > 0 ? this.#progress(done.rows) : 'swallow';
          this.#tell();
          return Buffer.concat([this.#complete(), ...(this.#isQuery ? [whole(message)] : [])]);
        },
        skipped: () => resolve(false),
      });
      server.flush();
    });
  }

  #complete(): Buffer {
    // Of rows that reference others of their table nobody knows whose they are: those of the client were counted.
    const { ask } = this.#statement.program.pages;
    return commandComplete(`DELETE ${ask === undefined ? this.#clientRows : this.#asked}`);
  }

  #tell(): void {
    const { rewrite, cascade } = this.#statement;
    this.#parts.decider
      .translation(rewrite)
      .tell({ kind: 'executed', treatment: cascade, at: performance.now(), counts: undefined });
  }

  #progress(rows: number): Buffer {
    return noticeResponse(
      new Map([
        [Field.severity, 'NOTICE'],
        [Field.severityNonLocalized, 'NOTICE'],
        [Field.code, '00000'],
        [Field.message, `cascade batch ${this.#pages}: ${rows} rows, ${this.#gone} so far`],
      ]),
    );
  }

  #failed(message: Message, rewrite: Rewrite): void {
    const { cascade } = this.#statement;
    const fields = readErrorFields(message);
    const mayBeRetried =
      TRIED_AGAIN.has(fields.get(Field.code)) ||
      markerOf(fields, cascade, rewrite, false)?.kind === 'ruleSuspected';
    const translation = this.#parts.decider.translation(rewrite);
    this.#error ??= { fields: translatedFields(message, cascade, translation), mayBeRetried };
  }

  get #isQuery(): boolean {
    return this.#statement.values === undefined;
  }

  /** The client gets the error, with what is gone. */
  async #fail(fields: ErrorFields): Promise<void> {
    const { replies, server } = this.#parts;
    const told = new Map(fields);
    const gone = `${this.#gone} rows are gone, in ${this.#pages} transactions; the same statement again goes on from there.`;
    if (this.#gone > 0)
      told.set(Field.hint, [fields.get(Field.hint), gone].filter((each) => each !== undefined).join(' '));
    const error = errorResponse(told, 'latin1');
    await new Promise<void>((resolve) => {
      const skipped = () => resolve();
      if (this.#isQuery) {
        server.write(write.sync());
        const receive = (message: Message) => {
          resolve();
          return Buffer.concat([error, whole(message)]);
        };
        replies.expect('Sync', { receive, skipped });
      } else {
        server.write(
          Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, FAIL_REFUSED), write.flush()]),
        );
        replies.expect('Close', { receive: () => 'swallow', skipped });
        const receive = () => {
          resolve();
          return error;
        };
        replies.expect('Parse', { receive, skipped });
      }
      server.flush();
    });
  }
}
