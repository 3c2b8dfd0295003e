/** Executes a text as a simple query. Each attempt is one string, with locks and savepoint in it. */
import type { Locks } from '../../render/single/locks.js';
import { locked } from '../../rewrite/locked.js';
import { firstLocksOf, hasEnforcedKeys, isSuspecting, locksOf, planOf } from '../../rewrite/retries.js';
import { surrounded } from '../../rewrite/surrounded.js';
import { passedOn, type Rewrite } from '../../rewrite/text.js';
import type { Look } from '../../sql/lexer/look.js';
import { write } from '../../wire/frontend.js';
import type { LimitWatch } from '../answers/limit-watch.js';
import { leftBy, sealed, sentText } from '../answers/markers.js';
import { queryReplies } from '../answers/results.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { Decider } from '../decide/decider.js';
import type { SeparateStatement } from '../decide/decision.js';
import type { ClientNames } from '../decide/names.js';
import type { PreparedStatement } from '../decide/prepared-statement.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';
import type { TransactionState } from '../server/transaction-state.js';
import { Attempt } from './attempt.js';
import type { Execution, Terms } from './execution.js';
import type { Harmlessness } from './harmlessness.js';
import type { Outcome } from './outcome.js';
import type { Snapshot } from './retry-policy.js';
import { Savepoint } from './savepoint.js';

/** A simple query of the client's, with what is sent in its place. */
export interface ExpandedQuery {
  /** The look at the client's text. */
  readonly look: Look;
  readonly rewrite: Rewrite;
  /** As Situation.dropped. */
  readonly dropped: PreparedStatement | undefined;
}

/** What the execution of a query is made with. */
export interface QueryParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly queries: InternalQueries;
  readonly harmlessness: Harmlessness;
  readonly catalog: Pick<SessionCatalog, 'unitEnds'>;
  readonly decider: Pick<Decider, 'decide' | 'translation'>;
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly state: ServerState;
  readonly transaction: TransactionState;
}

const NO_LOCKS: ReadonlySet<Locks> = new Set();

export class QueryExecution implements Execution {
  readonly #query: ExpandedQuery;
  readonly #parts: QueryParts;
  /** Whether it is certain that the string is a transaction of its own. */
  readonly #isAlone: boolean;
  readonly #limit: LimitWatch | undefined;
  readonly #savepoint: Savepoint | undefined;
  readonly mayBeRetried: boolean;
  readonly #inBlock: boolean;
  #rewrite: Rewrite;
  #attempts = 0;
  #locks = NO_LOCKS;
  #separate: Iterable<SeparateStatement> | undefined;

  /** @param limit watches for a limit of the server's, where batches can take the place of the query */
  constructor(query: ExpandedQuery, parts: QueryParts, limit?: LimitWatch) {
    const { queries, transaction } = parts;
    const plan = planOf(query.rewrite.treatments);
    // While earlier queries are unanswered it is not known whether a transaction will be open.
    const { isKnown, isOpen, isIdle } = transaction;
    this.#query = query;
    this.#parts = parts;
    this.#limit = limit;
    this.#rewrite = query.rewrite;
    this.#inBlock = isOpen;
    this.#isAlone = isIdle;
    this.#savepoint = isOpen && plan && hasEnforcedKeys(plan) ? new Savepoint(queries, 'simple') : undefined;
    this.mayBeRetried = isKnown && (!isOpen || this.#savepoint !== undefined);
  }

  get rewrite(): Rewrite {
    return this.#rewrite;
  }

  /**
   * The statements that have to be sent one by one in the place of the query, where after an attempt that was undone as a whole one of them
   * has come to depend on one before it. The client has no answer then.
   */
  get separateStatements(): Iterable<SeparateStatement> | undefined {
    return this.#separate;
  }

  /** The savepoint of the last attempt is released by now: an error of the question fails the transaction, as natively. */
  async findLocks(isEach: boolean): Promise<boolean | 'failed'> {
    const { harmlessness, queries } = this.#parts;
    const { treatments } = this.#rewrite;
    if (!queries.mayAccompany) return false;
    const locks = isEach ? firstLocksOf(treatments) : locksOf(treatments);
    const harmless = await harmlessness.among(locks, 'simple');
    if (harmless === 'failed') return harmless;
    this.#locks = harmless;
    return harmless.size > 0;
  }

  async attempt({ isLocking, isResolved, isLast }: Terms): Promise<Outcome> {
    const { catalog, harmlessness, queries, replies, decider, statementNames, server, state } = this.#parts;
    const { dropped } = this.#query;
    const { treatments } = this.#rewrite;
    const isSaved = this.#savepoint !== undefined && treatments.some(({ kind }) => kind === 'cascade');
    const { before, ...string } = surrounded(locked(this.#rewrite, isLocking ? this.#locks : NO_LOCKS), {
      profile: queries.mayAccompany ? state.profile : undefined,
      alone: this.#isAlone,
      saved: isSaved,
    });
    const sent = sealed(string);
    const translation = { ...decider.translation(sent), resolved: isResolved };
    const attempt = new Attempt({
      message: 'Query',
      replies: (translation) => queryReplies(translation, () => dropped && statementNames.set('', dropped)),
      translation,
      mayBeRetried: !isLast && (planOf(treatments) !== undefined || isSuspecting(treatments)),
      isSaved,
      before,
      isLocking,
      limit: this.#limit,
    });
    server.write(write.query(sentText(sent)));
    replies.expect('Query', attempt);
    // What names mean was asked again for this attempt, before it is executed. Of the first one the client's half knows.
    if (this.#attempts++ > 0) catalog.unitEnds(this.#inBlock);
    server.flush();
    const outcome = await attempt.outcome;
    if (attempt.hasFailed && isLocking && outcome !== 'ruleSuspected') harmlessness.forget();
    const left = attempt.hasFailed ? leftBy(sent) : [];
    if (left.length > 0) await queries.forget(left);
    return outcome;
  }

  async rollBack(): Promise<Snapshot | 'failed'> {
    return this.#savepoint ? this.#savepoint.rollBack() : 'newer';
  }

  async planAgain(): Promise<boolean> {
    const { look } = this.#query;
    const source = { protocol: 'simple', inString: true, types: [], retries: false, prepares: true } as const;
    const decision = await this.#parts.decider.decide(look, source);
    // Several statements are tried again only where they are a transaction of their own.
    if (decision.kind === 'statementByStatement') this.#separate = decision.statements;
    if (decision.kind !== 'pass' && decision.kind !== 'rewrite') return false;
    this.#rewrite = decision.kind === 'pass' ? passedOn(look.text) : decision.rewrite;
    return true;
  }

  /** Sends the refusal as a query in the place of the client's. */
  async refuse(refusal: Rewrite): Promise<void> {
    this.#rewrite = refusal;
    await this.attempt({ isLocking: false, isResolved: false, isLast: true });
  }

  async failOutside(): Promise<void> {
    await this.#savepoint?.failOutside();
  }
}
