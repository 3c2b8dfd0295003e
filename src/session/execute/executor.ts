/**
 * Carries out what is sent in the place of a client's DELETE, until it has ended for good. This is all that the client's
 * half of a session knows of how that is done; the way is chosen here, by the kind of the program that was made of the plan.
 */
import { ProxyError } from '../../errors.js';
import type { SessionEvents } from '../../observe/session-events.js';
import { locked } from '../../rewrite/locked.js';
import { firstLocksOf, programOf } from '../../rewrite/retries.js';
import type { OrderedProgram, PagedProgram } from '../../rewrite/statement/program.js';
import type { Rewrite } from '../../rewrite/text.js';
import { write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { SeparateStatement } from '../decide/decision.js';
import { REPEATED, SCRATCH } from '../server/own-statements.js';
import type { Stops } from '../server/stops.js';
import { carryOut } from './execution.js';
import { executePortal, executeQuery, orderedStatement } from './ordered/ordered-execution.js';
import { type OrderedStatement, sendRefusal } from './ordered/ordered-statement.js';
import { PagedExecution } from './paged/paged-execution.js';
import { type Portal, type PortalBinding, PortalExecution, type PortalParts } from './portal-execution.js';
import { type ExpandedQuery, QueryExecution, type QueryParts } from './query-execution.js';

/** The values of a portal, for the first step of a sequence. */
export type SequenceValues = Pick<OrderedStatement, 'types' | 'bind'>;

/** What is going to be executed; `offset` as ErrorTranslation has it. */
type LockedBinding = Pick<PortalBinding, 'lock' | 'rewrite'> & { readonly offset?: number };

const IN_TRANSACTION = 'a DELETE that is not a transaction by itself';
const REPEATED_WHERE =
  'a WHERE that may call something volatile or read a view, or a table whose rows the role may not lock';

interface ExecutorParts extends QueryParts, PortalParts {
  readonly stops: Stops;
  readonly decider: QueryParts['decider'];
  readonly catalog: SessionCatalog;
  readonly events: Pick<SessionEvents, 'retried'>;
}

export class Executor {
  readonly #parts: ExecutorParts;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /**
   * Sends a text as a simple query, at once.
   * @returns a promise that is fulfilled when the client has its answer: or, without one, with the statements of the text that
   * have to be sent one by one, as what one of them means has changed since
   */
  async query(query: ExpandedQuery): Promise<Iterable<SeparateStatement> | undefined> {
    const program = programOf(query.rewrite.treatments);
    switch (program?.kind) {
      // Several statements, each of which is in the text.
      case undefined:
      case 'single': {
        const execution = new QueryExecution(query, this.#parts);
        await carryOut(execution, this.#parts.events);
        return execution.separateStatements;
      }
      case 'paged': {
        const { isKnown, isIdle } = this.#parts.transaction;
        return this.#paged(query.rewrite, program, isKnown && isIdle, {});
      }
      case 'ordered':
        await executeQuery(orderedStatement(query.rewrite, program, { describes: true }), this.#parts);
        return undefined;
    }
  }

  /**
   * Executes a portal.
   * @param inBlock in a transaction block; else nothing was executed in the implicit transaction before it
   * @returns a promise that is fulfilled when no other attempt follows: the client's next message may be sent
   */
  portal(portal: Portal, inBlock: boolean): Promise<void> {
    const program = programOf(portal.binding.rewrite.treatments);
    switch (program?.kind) {
      case undefined:
      case 'single':
        return carryOut(new PortalExecution(portal, inBlock, this.#parts), this.#parts.events);
      // It is refused, or executed by `pages`.
      case 'paged':
        return Promise.resolve(this.refusePaged(portal.binding.rewrite, IN_TRANSACTION));
      case 'ordered':
        return this.ordered(portal.binding.rewrite, program, {});
    }
  }

  /**
   * Executes a statement by its sequence, in the transaction of its pipeline: in the place of an Execute.
   * @returns a promise that is fulfilled when the client has its answer
   */
  ordered(
    rewrite: Rewrite,
    program: OrderedProgram,
    values: Partial<SequenceValues> & { readonly offset?: number; readonly describes?: boolean },
  ): Promise<void> {
    return executePortal(orderedStatement(rewrite, program, values), this.#parts);
  }

  /**
   * Executes a statement in pages, in the place of an Execute. @param isAlone nothing was executed in its transaction before
   * @returns a promise that is fulfilled when the client has its answer
   */
  async pages(
    rewrite: Rewrite,
    program: PagedProgram,
    isAlone: boolean,
    values: SequenceValues,
  ): Promise<void> {
    await this.#paged(rewrite, program, isAlone, values);
  }

  /** Sends a refusal in the place of an Execute whose statement would be carried out in pages. */
  refusePaged(rewrite: Rewrite, what: string): undefined {
    const [cascade] = rewrite.treatments;
    const table = cascade?.kind === 'cascade' ? cascade.target : '';
    sendRefusal(new ProxyError('PGC_BATCH', { table, what }), this.#parts);
  }

  /** @param values of an Execute; none for a Query */
  async #paged(
    rewrite: Rewrite,
    program: PagedProgram,
    isAlone: boolean,
    values: Partial<SequenceValues>,
  ): Promise<undefined> {
    const { harmlessness, replies, server } = this.#parts;
    const isQuery = values.bind === undefined;
    const [cascade] = rewrite.treatments;
    if (cascade?.kind !== 'cascade') throw new Error('the text is not one expanded statement');
    const protocol = isQuery ? 'simple' : 'extended';
    const isHarmless = isAlone && (await harmlessness.judge(program.pages, protocol));
    if (isHarmless === 'failed') return undefined;
    if (isHarmless) {
      const bind = write.bindValues(REPEATED, SCRATCH, []);
      const statement = { rewrite, cascade, program, types: [], bind, ...values };
      await new PagedExecution(statement, this.#parts).run(isQuery);
      return undefined;
    }
    this.refusePaged(rewrite, isAlone ? REPEATED_WHERE : IN_TRANSACTION);
    if (!isQuery) return undefined;
    await new Promise<void>((resolve) => {
      server.write(write.sync());
      const receive = (message: Message) => {
        if (message.type === Backend.ReadyForQuery) resolve();
        return 'forward' as const;
      };
      replies.expect('Sync', { receive, skipped: resolve });
      server.flush();
    });
    return undefined;
  }

  /** Sends a refusal in the place of an Execute whose statement a sequence would carry out. @param what stands against it */
  refuseOrdered(rewrite: Rewrite, what: string): undefined {
    const [cascade] = rewrite.treatments;
    const table = cascade?.kind === 'cascade' ? cascade.target : '';
    sendRefusal(new ProxyError('PGC_ORDERED', { table, what }), this.#parts);
  }

  /**
   * For a text of several statements, which is executed once, and not held: the client may have to send data of a COPY in it.
   * @returns the text with the locks that are sent before its DELETEs; `failed` where the client has got an error
   */
  async locked(rewrite: Rewrite): Promise<Rewrite | 'failed'> {
    const harmless = await this.#parts.harmlessness.among(firstLocksOf(rewrite.treatments), 'simple');
    return harmless === 'failed' ? harmless : locked(rewrite, harmless);
  }

  /**
   * Locks the rows that a portal, or a statement by itself, is going to delete, where its Execute is sent by someone else.
   * @returns a promise that is fulfilled when the Execute may be written: the locks go out with it
   */
  async lock({ lock, rewrite, offset = 0 }: LockedBinding): Promise<void> {
    const { locks } = this.#parts;
    if (lock && (await locks.may(lock)) === true) void locks.send(lock, { rewrite, offset }, () => false);
  }
}
