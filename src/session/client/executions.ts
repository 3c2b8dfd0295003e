/**
 * The executions of a session in the extended query protocol: what portals are bound to, and whether their execution
 * may be repeated (execution.ts).
 */

import { isSuspecting, locksOf, planOf } from '../../rewrite/retries.js';
import { passedOn, type Rewrite } from '../../rewrite/text.js';
import { bindTo, boundTo, readExecute, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Frontend } from '../../wire/types.js';
import type { StatementSource } from '../decide/decision.js';
import { type PreparedStatement, ruleOf } from '../decide/prepared-statement.js';
import type { Executor } from '../execute/executor.js';
import type { FrontendOptions } from '../execute/frontend-options.js';
import type { PortalBinding } from '../execute/portal-execution.js';
import { REPEATED, SCRATCH } from '../server/own-statements.js';
import { descriptionReplies, executeReplies, swallowedReplies, undoneReplies } from '../server/results.js';
import { type BoundPortal, bindOf, cannotRun, type Portals, senderOf, withFormats } from './portals.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Prepares a statement again where another text has to be sent for it now. @returns also the name that it has now */
export type PrepareAgain = (
  name: string,
  prepared: PreparedStatement,
  rewrite: Rewrite,
) => Promise<{ readonly prepared: PreparedStatement; readonly under: string }>;

export class Executions {
  readonly #options: FrontendOptions;
  readonly #executor: Executor;
  readonly #prepareAgain: PrepareAgain;
  readonly #unit: UnitOfWork;
  /** What each portal was bound to. */
  readonly #portals: Portals;

  constructor(
    options: FrontendOptions,
    executor: Executor,
    unit: UnitOfWork,
    portals: Portals,
    prepareAgain: PrepareAgain,
  ) {
    this.#unit = unit;
    this.#options = options;
    this.#executor = executor;
    this.#prepareAgain = prepareAgain;
    this.#portals = portals;
  }

  /** What is prepared under a name is executed in all circumstances; what has none is executed next. */
  source(name: string, { types, encoding }: Pick<PreparedStatement, 'types' | 'encoding'>): StatementSource {
    const retries = name === '' && this.#unit.isInBlock === false;
    return { protocol: 'extended', inString: false, types, retries, encoding };
  }

  /** A Bind came, of a statement that is prepared as it has to be now. */
  bind(
    message: Message,
    name: string,
    statement: string,
    prepared: PreparedStatement | undefined,
  ): undefined {
    this.#unit.bind();
    const known = prepared ?? this.#portals.get(name);
    const undo =
      known &&
      this.#portals.set(
        name,
        prepared && { ...prepared, statement, bind: bindOf(message, prepared), executed: false },
      );
    const part = ruleOf(prepared);
    if (part?.kind !== 'cascade') this.#options.jit.on();
    if (part?.kind === 'cascade') this.#options.server.write(withFormats(message, part.answers));
    else this.#options.server.forward(message);
    const replies = prepared?.rewrite
      ? descriptionReplies(this.#options.decider.translation(prepared.rewrite), undo)
      : undo && undoneReplies(undo);
    this.#options.replies.expect('Bind', replies);
  }

  /** As Dispatch.take. */
  execute(message: Message): Promise<void> | undefined {
    const name = readExecute(message)?.portal;
    if (name === undefined) {
      this.#unit.execute(false, 'none');
      return this.#forward(message);
    }
    this.#options.catalog.executing();
    const bound = this.#portals.get(name);
    const plan = bound?.rewrite && planOf(bound.rewrite.rules);
    const { isInBlock, mayRetryAlone } = this.#unit;
    this.#unit.execute(plan !== undefined, bound?.seen.effect ?? 'none');
    if (bound === undefined) return this.#forward(message);
    this.#options.catalog.invalidateFor(bound.seen.effect);
    const { rewrite } = bound;
    if (rewrite === undefined) return this.#forward(message);
    const [part] = rewrite.rules;
    if (bound.executed && part?.kind === 'cascade' && part.answers.kind === 'count')
      return cannotRun(name, this.#options);
    this.#portals.set(name, { ...bound, executed: true });
    const execute = senderOf(message, name, rewrite, this.#options);
    const { bind } = bound;
    if (plan && bind && !bound.executed) {
      const sender = (current: Rewrite) => senderOf(message, name, current, this.#options);
      const rebind = () => this.#rebind(name, bind, { ...bound, executed: true }, sender);
      // Other portals would be lost with a transaction that fails.
      if (isInBlock === true || mayRetryAlone)
        return this.#executor.portal({ rewrite, execute, rebind }, isInBlock === true);
      if (isSuspecting(rewrite.rules)) return this.#executeExactly(rebind);
    }
    this.#expectExecuted(execute, rewrite);
    return undefined;
  }

  /** The unnamed statement goes: without it a portal that waits to find out more could not be bound again. */
  settle(): Promise<unknown> | undefined {
    const [first] = this.#portals.uncertain;
    if (first === undefined) return undefined;
    const [name, portal, bind] = first;
    return this.#rebind(name, bind, portal, () => () => {});
  }

  #expectExecuted(execute: () => void, rewrite: Rewrite): void {
    const { jit } = this.#options;
    if (planOf(rewrite.rules)) jit.off();
    else jit.on();
    execute();
    this.#options.replies.expect('Execute', executeReplies(this.#options.decider.translation(rewrite)));
  }

  /** What only finds out whether a rule may be broken is no use where it cannot be sent again. */
  async #executeExactly(rebind: () => Promise<PortalBinding | undefined>): Promise<void> {
    const bound = await rebind();
    if (bound) this.#expectExecuted(bound.execute, bound.rewrite);
  }

  /**
   * Binds a portal again, to what its statement means by now.
   * @returns undefined where the client has got an error in place of its execution
   */
  async #rebind(
    name: string,
    bind: Buffer,
    bound: BoundPortal,
    sender: (rewrite: Rewrite) => () => void,
  ): Promise<PortalBinding | undefined> {
    const { replies, decider, server } = this.#options;
    const source = { ...this.source(bound.statement, bound), retries: false };
    const decision = await decider.decide(bound.seen, source);
    if (decision.kind === 'failed' || decision.kind === 'skipped') {
      // Whoever waits for it must not wait again.
      this.#portals.set(name, { ...bound, bind: undefined });
      return undefined;
    }
    const wanted = decision.kind === 'pass' ? passedOn(bound.seen.text) : decision.rewrite;
    const { prepared: current, under } = await this.#prepareAgain(bound.statement, bound, wanted);
    const { rewrite = wanted } = current;
    const part = ruleOf(current);
    const message = bindMessage(under === bound.statement ? bind : bindTo(bindMessage(bind), name, under));
    const again = part?.kind === 'cascade' ? withFormats(message, part.answers) : message.buffer;
    server.write(Buffer.concat([write.close('P', name), again]));
    this.#portals.set(name, { ...current, bind, statement: bound.statement, executed: bound.executed });
    const swallowed = swallowedReplies(decider.translation(rewrite), () => {});
    replies.expect('Close', swallowed);
    replies.expect('Bind', swallowed);
    const locks = locksOf(rewrite.rules);
    const lock = locks && { locks, types: bound.types, bind: boundTo(message, REPEATED, SCRATCH) };
    return { rewrite, execute: sender(rewrite), lock };
  }

  #forward(message: Message): undefined {
    this.#options.jit.on();
    this.#options.server.forward(message);
    this.#options.replies.expect('Execute');
  }
}

function bindMessage(buffer: Buffer): Message {
  return { type: Frontend.Bind, buffer, start: 0, end: buffer.length, last: true };
}
