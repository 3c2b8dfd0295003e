/**
 * Carries out what is sent in the place of a client's DELETE, until it has ended for good. The client's half of a session knows no more of
 * how that is done than this class: it chooses the way, by the kind of the program that was made of the plan.
 */
import type { SessionEvents } from '../../observe/session-events.js';
import { locked } from '../../rewrite/locked.js';
import { batchesAtLimit, firstLocksOf, programOf, rewriteInBatches } from '../../rewrite/retries.js';
import {
  cannotCarryOut,
  type OrderedProgram,
  type PagedProgram,
  type Program,
  type SingleProgram,
} from '../../rewrite/statement/program.js';
import type { Rewrite } from '../../rewrite/text.js';
import { LimitWatch } from '../answers/limit-watch.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { SeparateStatement } from '../decide/decision.js';
import { carryOut } from './execution.js';
import { executePortal, executeQuery, orderedStatement } from './ordered/ordered-execution.js';
import { type OrderedStatement, sendRefusal } from './ordered/ordered-statement.js';
import { executePaged } from './paged/paged-execution.js';
import type { PagedParts } from './paged/paged-statement.js';
import { executePlain, refusePortal } from './plain/plain-execution.js';
import type { PlainStatement } from './plain/plain-statement.js';
import { type Portal, type PortalBinding, PortalExecution, type PortalParts } from './portal-execution.js';
import { type ExpandedQuery, QueryExecution, type QueryParts } from './query-execution.js';
import { lockTables } from './table-locks.js';
import { Unsynced } from './unsynced.js';

export type { PlainValues } from './plain/plain-statement.js';

/** The values of a portal, for the first step of a sequence. */
export type SequenceValues = Pick<OrderedStatement, 'types' | 'bind' | 'again'>;

/** A binding whose rows are locked before someone else sends its Execute; `offset` as ErrorTranslation has it. */
type LockedBinding = Pick<PortalBinding, 'lock' | 'rewrite'> & { readonly offset?: number };

/** Why a statement cannot be done in batches. */
const IN_TRANSACTION = 'a DELETE that is not a transaction of its own';

interface ExecutorParts extends QueryParts, PortalParts {
  readonly stops: PagedParts['stops'];
  readonly decider: QueryParts['decider'];
  readonly catalog: SessionCatalog;
  readonly events: Pick<SessionEvents, 'retried'>;
}

export class Executor {
  readonly #parts: ExecutorParts;
  /** What the client has executed, and gets the answer to with its Sync. */
  readonly unsynced: Unsynced;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.unsynced = new Unsynced(parts);
  }

  /**
   * Sends a text as a simple query, at once.
   * @returns a promise that is fulfilled when the client has its answer: or, without one, with the statements of the text that
   * have to be sent one by one, as what one of them means has changed since
   */
  async query(query: ExpandedQuery): Promise<Iterable<SeparateStatement> | undefined> {
    const program = programOf(query.rewrite.treatments);
    switch (program?.kind) {
      // Several statements: what is sent for each is in the text.
      case undefined:
      case 'single': {
        const limit = this.#watchOf(query.rewrite);
        const execution = new QueryExecution(query, this.#parts, limit);
        await carryOut(execution, this.#parts.events);
        await this.#redoInBatches(execution.rewrite, limit);
        return execution.separateStatements;
      }
      case 'ordered': {
        const limit = this.#watchOf(query.rewrite);
        lockTables(query.rewrite, this.#parts);
        await executeQuery(orderedStatement(query.rewrite, program, { describes: true }), this.#parts, limit);
        await this.#redoInBatches(query.rewrite, limit);
        return undefined;
      }
      case 'paged': {
        const { isKnown, isIdle } = this.#parts.transaction;
        await this.paged(query.rewrite, program, isKnown && isIdle);
        return undefined;
      }
      case 'plain':
        await this.plain({ rewrite: query.rewrite, program, message: 'Query', values: undefined });
        return undefined;
    }
  }

  /**
   * Executes a portal whose statement is one statement for the server too.
   * @param inBlock in a transaction block; else nothing was executed in the implicit transaction before it
   * @param values for batches, where these may take its place
   * @returns a promise that is fulfilled when no other attempt follows: the client's next message may be sent
   */
  async portal(portal: Portal, inBlock: boolean, values?: SequenceValues): Promise<void> {
    const limit = values && new LimitWatch();
    const execution = new PortalExecution(portal, inBlock, this.#parts, limit);
    await carryOut(execution, this.#parts.events);
    await this.#redoNowOrAtSync(execution.rewrite, limit, values);
  }

  /**
   * Executes a statement by plain statements, in the place of a Query or an Execute.
   * @returns a promise that is fulfilled when the client has its answer
   * @throws ProxyError for what ends the session
   */
  plain(statement: Omit<PlainStatement, 'cascade'>): Promise<void> {
    const [cascade] = statement.rewrite.treatments;
    if (cascade?.kind !== 'cascade') throw new Error('the text is not one expanded statement');
    return executePlain({ ...statement, cascade }, this.#parts);
  }

  /**
   * Executes a statement by its sequence, in the transaction of its pipeline: in the place of an Execute.
   * @param batched the values for batches, where these may take its place
   * @returns a promise that is fulfilled when the client has its answer
   */
  async ordered(
    rewrite: Rewrite,
    program: OrderedProgram,
    values: Partial<SequenceValues> & { readonly offset?: number; readonly describes?: boolean },
    batched?: SequenceValues,
  ): Promise<void> {
    const limit = batched && new LimitWatch();
    await executePortal(orderedStatement(rewrite, program, values), this.#parts, limit);
    await this.#redoNowOrAtSync(rewrite, limit, batched);
  }

  /** As `#redoInBatches`; where the limit is not reached, it may be when the client's Sync commits. */
  async #redoNowOrAtSync(
    rewrite: Rewrite,
    limit: LimitWatch | undefined,
    values?: SequenceValues,
  ): Promise<void> {
    const redo = () => this.#redoInBatches(rewrite, limit, values);
    await redo();
    if (limit) this.unsynced.executed({ rewrite, limit, redo });
  }

  /** @returns what watches for a limit, where batches may take the place of a query */
  #watchOf({ treatments }: Rewrite): LimitWatch | undefined {
    const { isKnown, isIdle } = this.#parts.transaction;
    return isKnown && isIdle && batchesAtLimit(treatments) ? new LimitWatch() : undefined;
  }

  /** Does a statement again in batches, where it has reached a limit, and was undone. @param values as `paged` has them */
  async #redoInBatches(
    rewrite: Rewrite,
    limit: LimitWatch | undefined,
    values?: SequenceValues,
  ): Promise<void> {
    const { replies } = this.#parts;
    if (limit?.error === undefined || replies.ended) return;
    const { treatments } = rewrite;
    const batches = batchesAtLimit(treatments);
    if (batches === undefined) throw new Error('what is watched for a limit can be done in batches');
    const { cascade, program } = batches;
    const reached = limit.error;
    await executePaged(
      { rewrite: rewriteInBatches(rewrite, batches), cascade, program, values, reached },
      undefined,
      this.#parts,
    );
  }

  /**
   * Executes a statement in batches.
   * @param isAlone nothing was executed in its transaction before
   * @param values those of the portal, in the place of an Execute; without them it is executed in the place of a Query
   * @returns a promise that is fulfilled when the client has its answer
   */
  async paged(
    rewrite: Rewrite,
    program: PagedProgram,
    isAlone: boolean,
    values?: SequenceValues,
  ): Promise<void> {
    const [cascade] = rewrite.treatments;
    if (cascade?.kind !== 'cascade') throw new Error('the text is not one expanded statement');
    const obstacle = isAlone ? undefined : IN_TRANSACTION;
    await executePaged({ rewrite, cascade, program, values }, obstacle, this.#parts);
  }

  /**
   * Refuses a statement that several would carry out, in the place of its Execute.
   * @param what why it cannot be carried out
   */
  refuse(rewrite: Rewrite, program: Exclude<Program, SingleProgram>, what: string): undefined {
    const [cascade] = rewrite.treatments;
    const error = cannotCarryOut(program, cascade?.kind === 'cascade' ? cascade.target : '', what);
    switch (program.kind) {
      case 'ordered':
      case 'paged':
        return sendRefusal(error, this.#parts);
      case 'plain':
        return refusePortal(error, rewrite, this.#parts);
    }
  }

  /**
   * Puts the locks into a text of several statements. Such a text is executed once, and its answers are not held: the client may have to send
   * data of a COPY in it.
   * @param locksRows whether locks on rows may be sent, for which the server has to be asked
   * @returns the text with the locks that are sent before its DELETEs; `failed` where the client has got an error
   */
  async locked(rewrite: Rewrite, locksRows: boolean): Promise<Rewrite | 'failed'> {
    const rows = locksRows ? firstLocksOf(rewrite.treatments) : [];
    const harmless = await this.#parts.harmlessness.among(rows, 'simple');
    return harmless === 'failed' ? harmless : locked(rewrite, harmless);
  }

  /**
   * Locks the rows that a portal, or a statement alone, is going to delete, where its Execute is sent by someone else.
   * @returns a promise that is fulfilled when the Execute may be written: the locks go out with it
   */
  async lock({ lock, rewrite, offset = 0 }: LockedBinding): Promise<void> {
    const { locks } = this.#parts;
    if (lock && (await locks.may(lock)) === true) void locks.send(lock, { rewrite, offset }, () => false);
  }
}
