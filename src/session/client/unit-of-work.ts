/**
 * How far the client's unit of work has got, as far as the client's messages tell: a unit is what the client sends up to a Sync or a
 * simple query (protocol-flow.html#PROTOCOL-FLOW-PIPELINING).
 */
import type { SessionEffect } from '../../sql/lexer/look.js';
import { TransactionStatus } from '../../wire/types.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';

export class UnitOfWork {
  readonly #replies: Pick<OutstandingReplies, 'awaitsReady'>;
  readonly #state: Pick<ServerState, 'status'>;
  #hasBegun = false;
  #hasExecuted = false;
  #mayHaveEndedTransaction = false;
  #bindings = 0;
  #disturbances = 0;

  constructor(replies: Pick<OutstandingReplies, 'awaitsReady'>, state: Pick<ServerState, 'status'>) {
    this.#replies = replies;
    this.#state = state;
  }

  /** Whether the client has sent nothing since the last unit ended. */
  get isBetweenUnits(): boolean {
    return !this.#hasBegun;
  }

  /** Whether an Execute was sent: from then on a simple query belongs to the implicit transaction of the unit. */
  get hasExecuted(): boolean {
    return this.#hasExecuted;
  }

  /**
   * Whether what is executed next is in a transaction block: `true` where a block is certain to be open, `false` where the
   * execution is certain to be the first of an implicit transaction, `undefined` where neither is certain.
   */
  get isInBlock(): boolean | undefined {
    if (this.#replies.awaitsReady) return undefined;
    const { status } = this.#state;
    if (status === TransactionStatus.Open) return this.#mayHaveEndedTransaction ? undefined : true;
    return !this.#hasExecuted && status === TransactionStatus.Idle ? false : undefined;
  }

  /** Whether the transaction may fail and begin again, with nothing lost but the one portal that is executed next. */
  get mayRetryAlone(): boolean {
    return this.isInBlock === false && this.#bindings === 1;
  }

  /**
   * Counts what may have ended the transaction, or changed in it what a text means: all executions but those of expanded
   * statements. While the number stays the same, a prepared statement still means what its text means, as the transaction's locks keep
   * other sessions from changing its tables.
   */
  get disturbances(): number {
    return this.#disturbances;
  }

  /** A message of the extended protocol is sent. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** A Bind is sent. */
  bind(): void {
    this.#bindings++;
  }

  /**
   * An Execute is sent.
   * @param isExpanded whether what it executes was made of a DELETE
   * @param effect what else executing it may do to the session
   */
  execute(isExpanded: boolean, effect: SessionEffect): void {
    this.#hasExecuted = true;
    if (!isExpanded || effect !== 'none') this.#disturbances++;
    if (!isExpanded && effect !== 'none') this.#mayHaveEndedTransaction = true;
  }

  /** A FunctionCall is sent. */
  callFunction(): void {
    this.#disturbances++;
  }

  /**
   * A Sync or a simple query is sent.
   * @returns whether it is certain that the transaction goes on
   */
  end(): boolean {
    const goesOn = this.isInBlock === true;
    if (!goesOn) this.#disturbances++;
    this.#hasBegun = false;
    this.#hasExecuted = false;
    this.#mayHaveEndedTransaction = false;
    this.#bindings = 0;
    return goesOn;
  }
}
