/**
 * Execute: executes a portal (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). How, depends on what was made of its statement:
 *
 * - nothing: the Execute is forwarded;
 * - one expanded statement: the Execute is sent once, or in attempts where it may be tried again;
 * - ordered statements, plain statements or batches: these are executed with the portal's values, and the portal is not.
 */
import { FAIL_REFUSED } from '../../../render/violations.js';
import { batchesAtLimit, isSuspecting, mayRepeat, planOf, programOf } from '../../../rewrite/retries.js';
import type { OrderedProgram, PagedProgram, PlainProgram } from '../../../rewrite/statement/program.js';
import type { Rewrite } from '../../../rewrite/text.js';
import { mayTakeData } from '../../../sql/lexer/look.js';
import { serverError } from '../../../wire/backend.js';
import { type ExecuteFields, readExecute, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import { executeReplies } from '../../answers/results.js';
import type { SessionCatalog } from '../../catalog/session-catalog.js';
import type { Decider } from '../../decide/decider.js';
import { shownName } from '../../decide/names.js';
import type { Executor } from '../../execute/executor.js';
import { guardedWithFollowUps, sendFollowUps } from '../../execute/follow-ups.js';
import type { PortalBinding } from '../../execute/portal-execution.js';
import type { Jit } from '../../server/jit.js';
import { SCRATCH } from '../../server/own-statements.js';
import type { CopyIn } from '../copy-in.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import {
  type BoundPortal,
  isRepeatable,
  type Portals,
  plainValues,
  portalLock,
  sequenceValues,
} from '../portals.js';
import type { UnitOfWork } from '../unit-of-work.js';
import { countsRows, ExecutedPortal, executeOf } from './executed-portal.js';

interface ExecuteParts extends ServerSide {
  readonly executor: Executor;
  readonly catalog: SessionCatalog;
  readonly copyIn: CopyIn;
  readonly decider: Decider;
  readonly jit: Jit;
  readonly portals: Portals;
  readonly unit: UnitOfWork;
}

/** An Execute of a portal whose statement was decided. */
interface DecidedExecute {
  readonly message: Message;
  /** The portal's name. */
  readonly name: string;
  /** How many rows the client wants at most; 0 for all. */
  readonly rows: number;
  /** The portal as it was before this Execute. */
  readonly portal: BoundPortal;
  readonly rewrite: Rewrite;
  /** As the unit of work had them before this Execute. */
  readonly isInBlock: UnitOfWork['isInBlock'];
  readonly mayRetryAlone: boolean;
}

/** Why the values of a portal are not there any more: no longer Bind is kept (bind-message.ts). */
const LONG_VALUES = 'values of more than 1 MiB';

export class Execute extends MessageHandler<ExecuteParts> {
  /** After the Execute of a statement that may take data nothing is sent until the server has said whether it does. */
  take(message: Message): Promise<void> | undefined {
    const { catalog, portals } = this.parts;
    const execute = readExecute(message);
    // The server refuses what is not well-formed.
    if (execute === undefined) return this.#executeUnknown(message);
    catalog.executing();
    const portal = portals.get(execute.portal);
    if (portal === undefined) return this.#executeUnknown(message);
    const sent = this.#execute(message, execute, portal);
    if (!mayTakeData(portal.prepared.look)) return sent;
    return sent ? sent.then(() => this.#dataDecided()) : this.#dataDecided();
  }

  /** Forwards the Execute of a portal that the proxy has not entered: its statement neither deletes nor changes what the session knows. */
  #executeUnknown(message: Message): undefined {
    this.parts.unit.execute(false, 'none');
    return this.#forward(message);
  }

  #execute(
    message: Message,
    { portal: name, rows }: ExecuteFields,
    portal: BoundPortal,
  ): Promise<void> | undefined {
    const { catalog, portals, unit } = this.parts;
    const { rewrite, look } = portal.prepared;
    const { isInBlock, mayRetryAlone } = unit;
    unit.execute(rewrite !== undefined && isExpanded(rewrite), look.effect);
    catalog.invalidateBy(look);
    if (rewrite === undefined) return this.#forward(message);
    if (portal.executed && countsRows(rewrite)) return this.#refuseSecond(name);
    portals.set(name, { ...portal, executed: true });
    const execute: DecidedExecute = { message, name, rows, portal, rewrite, isInBlock, mayRetryAlone };
    const program = programOf(rewrite.treatments);
    switch (program?.kind) {
      case undefined:
      case 'single':
        return this.#executeSingle(execute);
      case 'ordered':
        return this.#executeOrdered(execute, program);
      case 'paged':
        return this.#executePaged(execute, program);
      case 'plain':
        return this.#executePlain(execute, program);
    }
  }

  /** The text that was sent is one statement: the Execute is sent, once or in attempts. */
  #executeSingle(decided: DecidedExecute): Promise<void> | undefined {
    const { message, name, portal, rewrite, isInBlock, mayRetryAlone } = decided;
    const { executor, portals } = this.parts;
    const { treatments } = rewrite;
    const execute = executeOf(message, name, rewrite);
    if (!isRepeatable(portal)) return this.#executeOnce({ rewrite, execute }, portal.executed);
    const binding = { rewrite, execute, lock: portalLock(portal) };
    const repeatable = new ExecutedPortal(name, portal, binding, message, portals);
    if (mayRetryAlone && batchesAtLimit(treatments))
      return executor.portal(repeatable, false, sequenceValues(portal, false));
    if (!isExpanded(rewrite)) return this.#executeOnce(binding);
    if (!mayRepeat(treatments)) return this.#lockAndExecuteOnce(binding);
    // A new attempt begins by undoing the failed one. In a block a savepoint keeps what came before; outside of one nothing else may
    // have been bound or executed, as a failed transaction takes all portals with it.
    if (isInBlock === true || mayRetryAlone) return executor.portal(repeatable, isInBlock === true);
    // A statement that only finds out whether a rule may be broken is no use where no other attempt can follow.
    if (!isSuspecting(treatments)) return this.#lockAndExecuteOnce(binding);
    return repeatable.rebind().then((exact) => exact && this.#lockAndExecuteOnce(exact));
  }

  /** The values of the portal go to the first statement of the sequence. */
  #executeOrdered(
    { name, rows, portal, rewrite, mayRetryAlone }: DecidedExecute,
    program: OrderedProgram,
  ): Promise<void> | undefined {
    const { executor } = this.parts;
    const { returns } = program.sequence;
    if (portal.executed && !returns) return this.#refuseSecond(name);
    if (portal.executed || (returns && rows > 0))
      return executor.refuse(rewrite, program, 'a RETURNING whose rows are fetched in portions');
    if (!isRepeatable(portal)) return executor.refuse(rewrite, program, LONG_VALUES);
    const values = { ...sequenceValues(portal, returns), again: mayRetryAlone ? portal.bind : undefined };
    const mayBeInBatches = mayRetryAlone && batchesAtLimit(rewrite.treatments) !== undefined;
    return executor.ordered(
      rewrite,
      program,
      values,
      mayBeInBatches ? sequenceValues(portal, false) : undefined,
    );
  }

  /** The values of the portal go to the first statement of each batch. */
  #executePaged(
    { name, portal, rewrite, mayRetryAlone }: DecidedExecute,
    program: PagedProgram,
  ): Promise<void> | undefined {
    const { executor } = this.parts;
    if (portal.executed) return this.#refuseSecond(name);
    if (!isRepeatable(portal)) return executor.refuse(rewrite, program, LONG_VALUES);
    return executor.paged(rewrite, program, mayRetryAlone, sequenceValues(portal, false));
  }

  /** The values of the portal go to the statement that finds its rows. */
  #executePlain(
    { name, portal, rewrite, isInBlock }: DecidedExecute,
    program: PlainProgram,
  ): Promise<void> | undefined {
    const { executor } = this.parts;
    const { hasParameters, returns } = program.sequence;
    if (portal.executed) return this.#refuseSecond(name);
    if (isInBlock === undefined) return executor.refuse(rewrite, program, 'after an Execute without a Sync');
    if (!isRepeatable(portal)) return executor.refuse(rewrite, program, LONG_VALUES);
    const values = plainValues(portal, program.sequence);
    if (values === undefined) return executor.refuse(rewrite, program, 'a RETURNING in binary');
    const { look, types } = portal.prepared;
    return executor.plain({
      rewrite,
      program,
      message: 'Execute',
      values: hasParameters || returns ? values : undefined,
      restore: portal.statement === '' ? write.parseBytes('', look.text, types) : undefined,
    });
  }

  /** Where the server skips the locks, or the question whether they may be taken, it skips the Execute too. */
  #lockAndExecuteOnce(binding: PortalBinding): Promise<void> | undefined {
    const { executor, jit } = this.parts;
    if (!binding.lock?.locks.isFirst) return this.#executeOnce(binding);
    jit.off();
    return executor.lock(binding).then(() => this.#executeOnce(binding));
  }

  /** @param isContinued the portal was executed before, and gives more of its rows */
  #executeOnce({ rewrite, execute }: PortalBinding, isContinued = false): undefined {
    const { decider, jit, replies, server } = this.parts;
    if (isExpanded(rewrite)) jit.off();
    else jit.on();
    server.write(execute);
    const translation = decider.translation(rewrite);
    const guarded = guardedWithFollowUps(translation);
    // The first Execute of a portal does all that the statement does: one that goes on only fetches more of its rows.
    if (guarded && !isContinued) sendFollowUps(guarded, translation, this.parts);
    else replies.expect('Execute', executeReplies(translation, isContinued));
  }

  /**
   * The client gets the server's error for a portal that is executed a second time: without RETURNING it runs once (pquery.c, PortalRun). A
   * statement that the server refuses is sent in place of the Execute, so that the transaction fails too.
   */
  #refuseSecond(name: string): undefined {
    const { replies, server } = this.parts;
    server.write(Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, FAIL_REFUSED)]));
    const error = serverError('55000', `portal "${shownName(name)}" cannot be run`);
    replies.expect('Close', {
      receive: (message) => (message.type === Backend.CloseComplete ? 'swallow' : error),
    });
    replies.expect('Parse', { receive: () => error });
  }

  #forward(message: Message): undefined {
    this.parts.jit.on();
    return forward(message, 'Execute', this.parts);
  }

  #dataDecided(): Promise<void> {
    const { copyIn, server } = this.parts;
    server.write(write.flush());
    return copyIn.decided();
  }
}

/** Whether the text was made of a DELETE. */
function isExpanded({ treatments }: Rewrite): boolean {
  return planOf(treatments) !== undefined;
}
