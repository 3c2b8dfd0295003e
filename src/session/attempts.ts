/** Makes executions that another transaction got in the way of again; see attempt.ts. */
import { ProxyError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import { write } from '../wire/frontend.js';
import { TransactionStatus } from '../wire/types.js';
import { attempt, isGuarded, MOST_ATTEMPTS, planOf, SAVEPOINT } from './attempt.js';
import { executeReplies, queryReplies, swallowedReplies } from './cascade-replies.js';
import type { FrontendOptions } from './frontend-options.js';
import { type Manner, SCRATCH } from './injection.js';
import { type Rewrite, refusal } from './rewrite.js';
import type { Source } from './rewriter.js';

/** What a portal executes. */
export interface Bound {
  readonly plan: Plan;
  readonly rewrite: Rewrite;
}

/** How a portal is executed once more. */
export interface Portal extends Bound {
  /** Sends Execute. */
  readonly execute: () => void;
  /** Binds it again, to what its statement means by now; undefined where that is nothing of this kind. */
  readonly rebind: () => Promise<Bound | undefined>;
}

export class Attempts {
  readonly #options: FrontendOptions;

  constructor(options: FrontendOptions) {
    this.#options = options;
  }

  /**
   * Sends a text that is one expanded statement, as a simple query, until it ends for good.
   * @param sent is called when a query was sent
   */
  async query(
    plan: Plan,
    text: Buffer,
    first: Rewrite,
    sent: () => void,
    undo: (() => void) | undefined,
  ): Promise<void> {
    const { replies, rewriter, server, state } = this.#options;
    const inBlock = state.status === TransactionStatus.Open;
    const saved = inBlock && isGuarded(plan) && (await this.#does(`SAVEPOINT ${SAVEPOINT}`));
    let rewrite = first;
    for (let left = inBlock && !saved ? 1 : MOST_ATTEMPTS; left > 0; left--) {
      server.write(write.query(rewrite.sql));
      const current = attempt(
        planOf(rewrite.parts) ?? plan,
        queryReplies(rewriter.translation(rewrite), undo),
        'Query',
        left === 1,
      );
      replies.expect('Query', current.replies);
      sent();
      server.flush();
      if ((await current.outcome) === 'done') break;
      rewrite = (saved && (await this.#rollBack('query'))) || (await this.#again(text, 'query', rewrite));
    }
    if (saved && state.status === TransactionStatus.Open) await this.#does(`RELEASE SAVEPOINT ${SAVEPOINT}`);
  }

  /**
   * Executes a portal until it ends for good.
   * @param inBlock in a transaction block; else nothing was executed in the implicit transaction before it
   */
  async portal(portal: Portal, inBlock: boolean): Promise<void> {
    const { injection, replies, rewriter, server } = this.#options;
    const saved = inBlock && (await injection.ask(`SAVEPOINT ${SAVEPOINT}`, 'pipeline')).kind === 'value';
    let bound: Bound | undefined = portal;
    for (let left = inBlock && !saved ? 1 : MOST_ATTEMPTS; left > 0 && bound; left--) {
      const answers = executeReplies(rewriter.translation(bound.rewrite));
      const made = attempt(bound.plan, answers, 'Execute', left === 1);
      portal.execute();
      replies.expect('Execute', made.replies);
      server.write(write.flush());
      server.flush();
      if ((await made.outcome) === 'done') break;
      // The server skips to a Sync. It commits nothing: the transaction has failed.
      server.write(write.sync());
      replies.expect('Sync', { receive: () => 'swallow' });
      const refused = saved ? await this.#rollBack('pipeline') : undefined;
      if (refused) this.#refuse(refused);
      bound = refused ? undefined : await portal.rebind();
    }
    if (saved) await injection.ask(`RELEASE SAVEPOINT ${SAVEPOINT}`, 'pipeline');
  }

  /** The error is the client's answer to its Execute. */
  #refuse(refused: Rewrite): void {
    const { replies, rewriter, server } = this.#options;
    server.write(
      Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, refused.sql), write.flush()]),
    );
    const translation = rewriter.translation(refused);
    replies.expect(
      'Close',
      swallowedReplies(translation, () => {}),
    );
    replies.expect(
      'Parse',
      swallowedReplies(translation, () => {}),
    );
  }

  /** What the text means by now. */
  async #again(text: Buffer, manner: Source['manner'], before: Rewrite): Promise<Rewrite> {
    const decision = await this.#options.rewriter.decide(text, {
      manner,
      inString: true,
      types: [],
      retries: false,
    });
    return decision.kind === 'rewrite' ? decision.rewrite : before;
  }

  /**
   * @param manner a simple query would drop the client's unnamed statement
   * @returns what is sent instead where the transaction sees no newer state: PostgreSQL's own error there
   */
  async #rollBack(manner: Manner): Promise<Rewrite | undefined> {
    const { injection } = this.#options;
    await injection.ask(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`, manner);
    const isolation = await injection.ask(
      `SELECT pg_catalog.current_setting('transaction_isolation')`,
      manner,
    );
    if (isolation.kind !== 'value' || isolation.value.startsWith('read ')) return undefined;
    return refusal(new ProxyError('PGC_SERIALIZATION', {}));
  }

  async #does(sql: string): Promise<boolean> {
    return (await this.#options.injection.ask(sql, 'query')).kind === 'value';
  }
}
