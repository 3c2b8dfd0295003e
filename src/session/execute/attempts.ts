/** Makes executions that another transaction got in the way of again; see attempt.ts. */
import { ProxyError } from '../../errors.js';
import type { Plan } from '../../plan/plan.js';
import type { Locks } from '../../render/single/locks.js';
import { isGuarded, isSuspecting, locksOf, planOf, SAVEPOINT } from '../../rewrite/retries.js';
import { surrounded } from '../../rewrite/surrounded.js';
import { passedOn, type Rewrite, refusal } from '../../rewrite/text.js';
import type { Look } from '../../sql/lexer/look.js';
import { write } from '../../wire/frontend.js';
import { Backend, TransactionStatus } from '../../wire/types.js';
import type { Protocol, Repeated } from '../server/internal-query.js';
import { leftBy, sealed, sentText } from '../server/markers.js';
import type { ReplyHandler } from '../server/outstanding-replies.js';
import { accompany, SCRATCH } from '../server/own-statements.js';
import { executeReplies, queryReplies, swallowedReplies } from '../server/results.js';
import { isForbidden } from '../server/server-errors.js';
import { attempt, MOST_ATTEMPTS, type Outcome } from './attempt.js';
import type { FrontendOptions } from './frontend-options.js';
import { firstAttempt, locksFirst, nextAttempt } from './retry-policy.js';

/** What a portal executes. */
export interface Execution {
  /** Undefined where it is nothing that may be made again. */
  readonly plan: Plan | undefined;
  readonly rewrite: Rewrite;
  /** Sends Execute. */
  readonly execute: () => void;
  /** What locks the rows that it is going to delete, with the values for it. */
  readonly lock?: (Pick<Repeated, 'types' | 'bind'> & { readonly locks: Locks }) | undefined;
}

/** How a portal is executed once more. */
export interface Portal extends Execution {
  /** Binds it again, to what its statement means by now; undefined where the client has got an error instead. */
  readonly rebind: () => Promise<Execution | undefined>;
}

/**
 * After an error under the proxy's savepoint the server keeps the locks that the transaction had before: natively it lets
 * go of them. So the transaction has to fail once more, outside of the savepoint.
 */
const FAIL: readonly string[] = [
  `ROLLBACK TO SAVEPOINT ${SAVEPOINT}`,
  `RELEASE SAVEPOINT ${SAVEPOINT}`,
  `SELECT pg_catalog.concat('pgcascade: the statement before has failed')::pg_catalog.int4`,
];

const ISOLATION = `SELECT pg_catalog.current_setting('transaction_isolation')`;

export class Attempts {
  readonly #options: FrontendOptions;

  constructor(options: FrontendOptions) {
    this.#options = options;
  }

  /**
   * Sends a text, as a simple query, until it ends for good.
   * @param plan that of a text which is one expanded statement
   * @param sent is called when a query was sent
   */
  async query(
    plan: Plan | undefined,
    seen: Look,
    first: Rewrite,
    sent: () => void,
    undo: (() => void) | undefined,
  ): Promise<void> {
    const { queries, replies, decider, server, state } = this.#options;
    // While earlier queries wait for their answers nobody knows whether a transaction will be open.
    const certain = replies.settled;
    const inBlock = certain && state.status === TransactionStatus.Open;
    const alone = certain && state.status === TransactionStatus.Idle;
    const saved = inBlock && plan !== undefined && isGuarded(plan);
    let rewrite = first;
    let resolved = false;
    let retry = firstAttempt(!certain || (inBlock && !saved) ? 1 : MOST_ATTEMPTS);
    while (retry.left > 0) {
      const locks = locksFirst(retry) ? await this.#harmless(locksOf(rewrite.rules), 'simple') : undefined;
      if (locks === 'failed') return;
      const under = saved && rewrite.rules.some(({ kind }) => kind === 'cascade');
      const locking = Array<string>(locks?.rounds ?? 0).fill(locks?.sql ?? '');
      const profile = queries.mayAccompany ? state.profile : undefined;
      const around = { profile, alone, saved: under, locks: locking };
      const { before, ...whole } = surrounded(rewrite, around);
      const made = sealed(whole);
      const translation = { ...decider.translation(made), resolved };
      const replying = queryReplies(translation, undo);
      let leaves: readonly string[] = [];
      const receive: ReplyHandler['receive'] = (message) => {
        if (message.type === Backend.ErrorResponse) leaves = leftBy(made);
        return replying.receive(message);
      };
      const answers = { ...replying, receive };
      const repeats = planOf(rewrite.rules) !== undefined || isSuspecting(rewrite.rules);
      const final = retry.left === 1;
      const isLocking = locks !== undefined;
      const current = attempt(repeats, answers, translation, 'Query', final, under, before, isLocking);
      server.write(write.query(sentText(made)));
      replies.expect('Query', current.replies);
      sent();
      server.flush();
      const outcome = await current.outcome;
      if (leaves.length > 0) await queries.forget(leaves);
      if (outcome === 'done') return;
      if (outcome === 'failed') return this.#options.queries.fail(FAIL, 'simple');
      this.#options.events.retried(outcome);
      retry = nextAttempt(retry, outcome, isLocking);
      const refused = saved ? await this.#rollBack('simple') : undefined;
      if (refused === 'failed') return;
      // What a name means does not depend on the snapshot.
      const next = (outcome === 'relationChanged' ? undefined : refused) ?? (await this.#again(seen));
      if (next === undefined) return;
      resolved = outcome === 'relationChanged' && next.sql === rewrite.sql;
      rewrite = next;
    }
  }

  /**
   * Executes a portal until it ends for good.
   * @param inBlock in a transaction block; else nothing was executed in the implicit transaction before it
   */
  async portal(portal: Portal, inBlock: boolean): Promise<void> {
    const { jit, replies, server } = this.#options;
    const saved = inBlock && portal.plan !== undefined && isGuarded(portal.plan);
    // Where the server skips it, it skips the Execute too, and the client has its error.
    if (saved) accompany(`SAVEPOINT ${SAVEPOINT}`, server, replies);
    let bound: Execution | undefined = portal;
    let resolved = false;
    let retry = firstAttempt(inBlock && !saved ? 1 : MOST_ATTEMPTS);
    while (retry.left > 0 && bound) {
      const locks = locksFirst(retry) ? await this.#harmless(bound.lock?.locks, 'extended') : undefined;
      if (locks === 'failed') return this.#failOutside(saved);
      if (bound.plan) jit.off(!inBlock);
      const locked = bound.lock && locks ? await this.#lock(bound.lock) : 'done';
      if (locked === 'failed') return this.#failOutside(saved);
      const outcome: Outcome =
        locked === 'done' ? await this.#executed(bound, resolved, retry.left === 1, saved) : 'lockDenied';
      if (outcome === 'done') break;
      if (outcome === 'failed') return this.#failOutside(saved);
      this.#options.events.retried(outcome);
      retry = nextAttempt(retry, outcome, locks !== undefined);
      this.#endSkipping();
      jit.lost();
      const refused = saved ? await this.#rollBack('extended') : undefined;
      if (refused === 'failed') return;
      if (refused && outcome !== 'relationChanged') return this.refuse(refused);
      if (saved && !(await this.#does(`SAVEPOINT ${SAVEPOINT}`))) return;
      const failed = bound.rewrite.sql;
      bound = await portal.rebind();
      resolved = outcome === 'relationChanged' && bound?.rewrite.sql === failed;
    }
    if (bound === undefined) await this.#failOutside(saved);
  }

  /** The server skips to a Sync. It commits nothing: the transaction has failed. */
  #endSkipping(): void {
    const { replies, server } = this.#options;
    server.write(write.sync());
    replies.expect('Sync', { receive: () => 'swallow' });
  }

  /** The client has got an error in the extended protocol. @param saved under the proxy's savepoint */
  async #failOutside(saved: boolean): Promise<void> {
    if (!saved) return;
    this.#endSkipping();
    await this.#options.queries.fail(FAIL, 'extended');
  }

  /** @returns the locks, where executing them does nothing else */
  async #harmless(locks: Locks | undefined, protocol: Protocol): Promise<Locks | 'failed' | undefined> {
    if (locks === undefined) return undefined;
    const answer = await this.#options.queries.askUntimed(locks.harmless, protocol);
    if (answer.kind !== 'value') return 'failed';
    return answer.value === 't' ? locks : undefined;
  }

  #lock({ locks, types, bind }: NonNullable<Execution['lock']>): Promise<'done' | 'refused' | 'failed'> {
    return this.#options.queries.repeat({ sql: locks.sql, times: locks.rounds, types, bind }, isForbidden);
  }

  /** Sends one Execute, and with it what lets go of the savepoint. */
  #executed(
    { plan, rewrite, execute }: Execution,
    resolved: boolean,
    final: boolean,
    saved: boolean,
  ): Promise<Outcome> {
    const { replies, decider, server } = this.#options;
    const translation = { ...decider.translation(rewrite), resolved };
    const made = attempt(
      plan !== undefined,
      executeReplies(translation),
      translation,
      'Execute',
      final,
      saved,
    );
    execute();
    replies.expect('Execute', made.replies);
    // Behind an error the server skips it: the savepoint is still there to go back to.
    if (saved) accompany(`RELEASE SAVEPOINT ${SAVEPOINT}`, server, replies);
    server.write(write.flush());
    server.flush();
    return made.outcome;
  }

  /** An error is the client's answer to its Execute. */
  refuse(refused: Rewrite): void {
    const { replies, decider, server } = this.#options;
    server.write(Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, refused.sql)]));
    const translation = decider.translation(refused);
    replies.expect(
      'Close',
      swallowedReplies(translation, () => {}),
    );
    replies.expect(
      'Parse',
      swallowedReplies(translation, () => {}),
    );
  }

  /** What the text of a simple query means by now; undefined where the client has got an error. */
  async #again(seen: Look): Promise<Rewrite | undefined> {
    const source = { protocol: 'simple', inString: true, types: [], retries: false, prepares: true } as const;
    const decision = await this.#options.decider.decide(seen, source);
    if (decision.kind === 'pass') return passedOn(seen.text);
    return decision.kind === 'rewrite' ? decision.rewrite : undefined;
  }

  /**
   * @param protocol a simple query would drop the client's unnamed statement
   * @returns what is sent instead where the transaction sees no newer state: PostgreSQL's own error there; `failed` where
   * the client has got an error
   */
  async #rollBack(protocol: Protocol): Promise<Rewrite | 'failed' | undefined> {
    const { queries } = this.#options;
    const steps = [`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`, `RELEASE SAVEPOINT ${SAVEPOINT}`, ISOLATION];
    const questions = protocol === 'simple' ? [steps.join('; ')] : steps;
    let value = '';
    for (const question of questions) {
      const answer = await queries.ask(question, protocol);
      if (answer.kind !== 'value') return 'failed';
      value = answer.value;
    }
    return value.startsWith('read ') ? undefined : refusal(new ProxyError('PGC_SERIALIZATION', {}));
  }

  async #does(sql: string): Promise<boolean> {
    return (await this.#options.queries.ask(sql, 'extended')).kind === 'value';
  }
}
