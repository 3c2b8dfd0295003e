/** Executes a portal. Each attempt is one Execute; locks, savepoint and settings are executions of their own before it. */
import { hasEnforcedKeys, planOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import { write } from '../../wire/frontend.js';
import type { LimitWatch } from '../answers/limit-watch.js';
import { executeReplies, swallowedReplies } from '../answers/results.js';
import type { Decider } from '../decide/decider.js';
import { isForbidden } from '../server/error-classes.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { Jit } from '../server/jit.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import { accompany, SCRATCH } from '../server/own-statements.js';
import { Attempt } from './attempt.js';
import type { Execution, Terms } from './execution.js';
import type { Outcome } from './outcome.js';
import type { PortalLock, PortalLocks } from './portal-locks.js';
import type { Snapshot } from './retry-policy.js';
import { RELEASE_SAVEPOINT, Savepoint, SET_SAVEPOINT } from './savepoint.js';

/** What a portal is bound to. */
export interface PortalBinding {
  readonly rewrite: Rewrite;
  /** The Execute that is sent. */
  readonly execute: Buffer;
  /** What locks the rows that it is going to delete, with the values for it. */
  readonly lock?: PortalLock | undefined;
}

/** A portal that can be executed once more. */
export interface Portal {
  /** What the client's Bind has bound it to. */
  readonly binding: PortalBinding;
  /** Binds it again, to what its statement means now; undefined where the client has got an error instead. */
  rebind(): Promise<PortalBinding | undefined>;
}

/** What the execution of a portal is made with. */
export interface PortalParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly queries: InternalQueries;
  readonly locks: PortalLocks;
  readonly decider: Pick<Decider, 'translation'>;
  readonly jit: Jit;
}

export class PortalExecution implements Execution {
  readonly #portal: Portal;
  readonly #parts: PortalParts;
  readonly #inBlock: boolean;
  readonly #savepoint: Savepoint | undefined;
  readonly #limit: LimitWatch | undefined;
  readonly mayBeRetried: boolean;
  #binding: PortalBinding;

  /**
   * Sets a savepoint where that allows another attempt.
   * @param inBlock in a transaction block; else nothing was executed in the implicit transaction before it
   * @param limit watches for a limit of the server's, where batches can take the place of the execution
   */
  constructor(portal: Portal, inBlock: boolean, parts: PortalParts, limit?: LimitWatch) {
    const plan = planOf(portal.binding.rewrite.treatments);
    this.#portal = portal;
    this.#parts = parts;
    this.#inBlock = inBlock;
    this.#limit = limit;
    this.#binding = portal.binding;
    this.#savepoint =
      inBlock && plan && hasEnforcedKeys(plan) ? new Savepoint(parts.queries, 'extended') : undefined;
    this.mayBeRetried = !inBlock || this.#savepoint !== undefined;
    // Where the server skips the savepoint, it skips the Execute too, and the client has got the error before.
    if (this.#savepoint) accompany(SET_SAVEPOINT, parts.server, parts.replies);
  }

  get rewrite(): Rewrite {
    return this.#binding.rewrite;
  }

  /** The savepoint is set before the question. */
  async findLocks(): Promise<boolean | 'failed'> {
    const may = await this.#parts.locks.may(this.#binding.lock);
    if (may === 'failed') await this.failOutside();
    return may;
  }

  async attempt({ isLocking, isResolved, isLast }: Terms): Promise<Outcome> {
    const { locks, jit } = this.#parts;
    const { rewrite, lock } = this.#binding;
    const isExpanded = planOf(rewrite.treatments) !== undefined;
    if (isExpanded) jit.off(!this.#inBlock);
    else jit.on();
    const locked =
      isLocking && lock ? locks.send(lock, { rewrite }, isLast ? () => false : isForbidden) : undefined;
    const executed = this.#execute(isResolved, isExpanded && !isLast);
    // After a lock that has failed the server skips the Execute.
    switch ((await locked) ?? 'done') {
      case 'refused':
        return 'lockDenied';
      case 'failed':
        return this.#savepoint ? 'failed' : 'done';
      case 'done':
        return executed;
    }
  }

  async rollBack(): Promise<Snapshot | 'failed'> {
    this.#endSkipping();
    // The rollback has undone the setting, too.
    this.#parts.jit.lost();
    return this.#savepoint ? this.#savepoint.rollBack() : 'newer';
  }

  async planAgain(): Promise<boolean> {
    if (this.#savepoint && !(await this.#savepoint.setAgain())) return false;
    const binding = await this.#portal.rebind();
    if (binding === undefined) {
      await this.failOutside();
      return false;
    }
    this.#binding = binding;
    return true;
  }

  /** Sends a Parse of the refusal in the place of the Execute: the server refuses it. */
  async refuse(refusal: Rewrite): Promise<void> {
    const { replies, decider, server } = this.#parts;
    server.write(Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, refusal.sql)]));
    const translation = decider.translation(refusal);
    for (const to of ['Close', 'Parse'] as const)
      replies.expect(
        to,
        swallowedReplies(translation, () => {}),
      );
  }

  async failOutside(): Promise<void> {
    if (!this.#savepoint) return;
    this.#endSkipping();
    await this.#savepoint.failOutside();
  }

  /** Sends one Execute, and with it what releases the savepoint. */
  #execute(isResolved: boolean, mayBeRetried: boolean): Promise<Outcome> {
    const { replies, decider, server } = this.#parts;
    const { rewrite, execute } = this.#binding;
    const translation = { ...decider.translation(rewrite), resolved: isResolved };
    const attempt = new Attempt({
      message: 'Execute',
      replies: (translation) => executeReplies(translation),
      translation,
      mayBeRetried,
      isSaved: this.#savepoint !== undefined,
      before: 0,
      isLocking: false,
      limit: this.#limit,
    });
    server.write(execute);
    replies.expect('Execute', attempt);
    // After an error the server skips this: the savepoint is still there to go back to.
    if (this.#savepoint) accompany(RELEASE_SAVEPOINT, server, replies);
    server.write(write.flush());
    server.flush();
    return attempt.outcome;
  }

  /** Ends the skipping that an error has begun. This Sync commits nothing: the transaction has failed. */
  #endSkipping(): void {
    const { replies, server } = this.#parts;
    server.write(write.sync());
    replies.expect('Sync', { receive: () => 'swallow' });
  }
}
