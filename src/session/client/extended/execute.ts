/** Execute: executes a portal (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import { FAIL_REFUSED } from '../../../render/violations.js';
import { batchesAtLimit, isSuspecting, mayRepeat, planOf, programOf } from '../../../rewrite/retries.js';
import type { OrderedProgram, PlainProgram } from '../../../rewrite/statement/program.js';
import type { Rewrite } from '../../../rewrite/text.js';
import { mayTakeData } from '../../../sql/lexer/look.js';
import { serverError } from '../../../wire/backend.js';
import { readExecute, write } from '../../../wire/frontend.js';
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

export class Execute extends MessageHandler<ExecuteParts> {
  /** After a portal that may take data nothing is sent before the server has said whether it does. */
  take(message: Message): Promise<void> | undefined {
    const { catalog, portals } = this.parts;
    const name = readExecute(message)?.portal;
    // The server refuses what is not well-formed.
    if (name === undefined) return this.#executeUnknown(message);
    catalog.executing();
    const portal = portals.get(name);
    if (portal === undefined) return this.#executeUnknown(message);
    const sent = this.#execute(message, name, portal);
    if (!mayTakeData(portal.prepared.look)) return sent;
    return sent ? sent.then(() => this.#dataDecided()) : this.#dataDecided();
  }

  /** A portal in which the proxy has no hand. */
  #executeUnknown(message: Message): undefined {
    this.parts.unit.execute(false, 'none');
    return this.#forward(message);
  }

  #execute(message: Message, name: string, portal: BoundPortal): Promise<void> | undefined {
    const { catalog, executor, portals, unit } = this.parts;
    const { rewrite, look } = portal.prepared;
    const program = rewrite && programOf(rewrite.treatments);
    const isExpanded = rewrite !== undefined && planOf(rewrite.treatments) !== undefined;
    const { isInBlock, mayRetryAlone } = unit;
    unit.execute(isExpanded, look.effect);
    catalog.invalidateBy(look);
    if (rewrite === undefined) return this.#forward(message);
    if (portal.executed && countsRows(rewrite)) return this.#refuseSecond(name);
    portals.set(name, { ...portal, executed: true });
    if (program?.kind === 'ordered') {
      const rows = readExecute(message)?.rows ?? 0;
      return this.#executeOrdered(name, portal, rewrite, { program, rows, mayRetryAlone });
    }
    if (program?.kind === 'paged') {
      if (portal.executed) return this.#refuseSecond(name);
      if (!isRepeatable(portal)) return executor.refuse(rewrite, program, 'values of more than 1 MiB');
      return executor.paged(rewrite, program, mayRetryAlone, sequenceValues(portal, false));
    }
    if (program?.kind === 'plain') return this.#executePlain(name, portal, rewrite, program, isInBlock);
    const execute = executeOf(message, name, rewrite);
    if (!isRepeatable(portal)) return this.#executeOnce({ rewrite, execute }, portal.executed);
    const binding = { rewrite, execute, lock: portalLock(portal) };
    if (mayRetryAlone && batchesAtLimit(rewrite.treatments)) {
      const alone = new ExecutedPortal(name, portal, binding, message, portals);
      return executor.portal(alone, false, sequenceValues(portal, false));
    }
    if (!isExpanded) return this.#executeOnce(binding);
    if (!mayRepeat(rewrite.treatments)) return this.#lockAndExecuteOnce(binding);
    const repeatable = new ExecutedPortal(name, portal, binding, message, portals);
    // To try again undoes what has failed. In a block a savepoint holds the rest; outside of one nothing else may have been bound
    // or executed, as a failed transaction takes all portals with it.
    if (isInBlock === true || mayRetryAlone) return executor.portal(repeatable, isInBlock === true);
    // What only finds out whether a rule may be broken is no use where it cannot be sent again.
    if (!isSuspecting(rewrite.treatments)) return this.#lockAndExecuteOnce(binding);
    return repeatable.rebind().then((exact) => exact && this.#lockAndExecuteOnce(exact));
  }

  /** The portal of the client's own statement is there, and is not executed: its values go to the statements of the sequence. */
  #executeOrdered(
    name: string,
    portal: BoundPortal,
    rewrite: Rewrite,
    {
      program,
      rows,
      mayRetryAlone,
    }: { readonly program: OrderedProgram; readonly rows: number; readonly mayRetryAlone: boolean },
  ): Promise<void> | undefined {
    const { executor } = this.parts;
    const { returns } = program.sequence;
    if (portal.executed && !returns) return this.#refuseSecond(name);
    if (portal.executed || (returns && rows > 0))
      return executor.refuse(rewrite, program, 'a RETURNING whose rows are fetched in portions');
    return isRepeatable(portal)
      ? executor.ordered(
          rewrite,
          program,
          {
            ...sequenceValues(portal, returns),
            again: mayRetryAlone ? portal.bind : undefined,
          },
          mayRetryAlone && batchesAtLimit(rewrite.treatments) ? sequenceValues(portal, false) : undefined,
        )
      : executor.refuse(rewrite, program, 'values of more than 1 MiB');
  }

  /** As `#executeOrdered`. @param isInBlock as UnitOfWork.isInBlock */
  #executePlain(
    name: string,
    portal: BoundPortal,
    rewrite: Rewrite,
    program: PlainProgram,
    isInBlock: boolean | undefined,
  ): Promise<void> | undefined {
    const { executor } = this.parts;
    const { hasParameters, returns } = program.sequence;
    if (portal.executed) return this.#refuseSecond(name);
    if (isInBlock === undefined) return executor.refuse(rewrite, program, 'behind an Execute without a Sync');
    if (!isRepeatable(portal)) return executor.refuse(rewrite, program, 'values of more than 1 MiB');
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

  /** Where the server skips the locks, or what is asked before them, it skips the Execute too. */
  #lockAndExecuteOnce(binding: PortalBinding): Promise<void> | undefined {
    const { executor, jit } = this.parts;
    if (!binding.lock?.locks.isFirst) return this.#executeOnce(binding);
    jit.off();
    return executor.lock(binding).then(() => this.#executeOnce(binding));
  }

  /** @param isContinued it was executed before, and goes on */
  #executeOnce({ rewrite, execute }: PortalBinding, isContinued = false): undefined {
    const { decider, jit, replies, server } = this.parts;
    if (planOf(rewrite.treatments)) jit.off();
    else jit.on();
    server.write(execute);
    const translation = decider.translation(rewrite);
    const guarded = guardedWithFollowUps(translation);
    // The first Execute of a portal does all that the statement does: one that goes on only fetches more of its rows.
    if (guarded && !isContinued) sendFollowUps(guarded, translation, this.parts);
    else replies.expect('Execute', executeReplies(translation, isContinued));
  }

  /** Without RETURNING a portal runs once (pquery.c, PortalRun). What is sent instead fails as well. */
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
