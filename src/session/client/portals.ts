/** The portals whose Executes are not simply forwarded: what each was bound to, and how to bind it again. */
import type { PlainSequence } from '../../render/plain/sequence.js';
import { isSuspecting, locksOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import { passedOn } from '../../rewrite/text.js';
import { bindTo, boundTo, withResultFormats, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Frontend } from '../../wire/types.js';
import { swallowedReplies } from '../answers/results.js';
import type { Decider } from '../decide/decider.js';
import { ClientNames, knownName } from '../decide/names.js';
import type { PreparedStatement } from '../decide/prepared-statement.js';
import type { PlainValues, SequenceValues } from '../execute/executor.js';
import type { PortalBinding } from '../execute/portal-execution.js';
import type { PortalLock } from '../execute/portal-locks.js';
import { lockTables } from '../execute/table-locks.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../server/own-statements.js';
import type { ServerState } from '../server/server-state.js';
import { withOwnFormats } from './bind-message.js';
import type { PreparedStatements } from './prepared-statements.js';

export interface BoundPortal {
  /** The statement that it was bound to, and the name that the statement had then. */
  readonly prepared: PreparedStatement;
  readonly statement: string;
  /** The client's Bind, which binds it again; undefined where that is never needed, the Bind is too long, or the portal may be gone. */
  readonly bind: Buffer | undefined;
  readonly executed: boolean;
}

export interface RepeatablePortal extends BoundPortal {
  readonly bind: Buffer;
}

interface PortalsOptions {
  readonly decider: Decider;
  readonly prepared: PreparedStatements;
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
}

export class Portals {
  readonly #options: PortalsOptions;
  readonly #names: ClientNames<BoundPortal>;

  constructor(options: PortalsOptions) {
    this.#options = options;
    this.#names = new ClientNames((name) => knownName(name, options.state));
  }

  get(name: string): BoundPortal | undefined {
    return this.#names.get(name);
  }

  /** @returns what takes the change back */
  set(name: string, portal: BoundPortal | undefined): () => void {
    return this.#names.set(name, portal);
  }

  /** @returns what takes it back; undefined where there was nothing to forget */
  forget(name: string): (() => void) | undefined {
    return this.#names.forget(name);
  }

  /** The server is idle: the portals ended with the transaction. */
  clear(): void {
    this.#names.clear();
  }

  /** The transaction may be over, and the portals with it: none of them is bound again, as the server may not have it any more. */
  endTransaction(): void {
    if (this.#names.isEmpty) return;
    for (const [name, portal] of this.#names.snapshot())
      if (portal.bind) this.set(name, { ...portal, bind: undefined });
  }

  /**
   * A Parse or Close is about to drop the unnamed statement. A portal that was bound to it, and only finds out whether a rule may be
   * broken, could not be bound again later: it is bound now, to the statement that finds out which rule is broken.
   * @returns undefined where there is no such portal; else a promise after which to ask again, as there may be another one
   */
  rebindNext(): Promise<unknown> | undefined {
    for (const [name, portal] of this.#names.snapshot())
      if (isRepeatable(portal) && onlySuspects(portal)) return this.bindAgain(name, portal);
    return undefined;
  }

  /**
   * Closes a portal and binds it again, to what has to be sent for its statement now.
   * @returns what it executes now, and what locks its rows; undefined where the client has got an error in place of the
   * execution
   */
  async bindAgain(
    name: string,
    portal: RepeatablePortal,
  ): Promise<Pick<PortalBinding, 'rewrite' | 'lock'> | undefined> {
    const { decider, prepared, replies, server } = this.#options;
    const { statement, bind } = portal;
    const { look, types } = portal.prepared;
    const source = { ...prepared.source(statement, portal.prepared), retries: false };
    const decision = await decider.decide(look, source);
    if (decision.kind === 'failed' || decision.kind === 'skipped') {
      this.set(name, { ...portal, bind: undefined });
      return undefined;
    }
    const wanted = decision.kind === 'pass' ? passedOn(look.text) : decision.rewrite;
    const { current, under } = await prepared.prepareForPortal(statement, portal.prepared, wanted);
    const { rewrite = wanted } = current;
    lockTables(rewrite, this.#options);
    const message = bindMessage(under === statement ? bind : bindTo(bindMessage(bind), name, under));
    server.write(Buffer.concat([write.close('P', name), withOwnFormats(message, current) ?? message.buffer]));
    this.set(name, { ...portal, prepared: current });
    const swallowed = swallowedReplies(decider.translation(rewrite), () => {});
    replies.expect('Close', swallowed);
    replies.expect('Bind', swallowed);
    return { rewrite, lock: lockOf(rewrite, types, message) };
  }
}

/** What locks the rows that a portal is going to delete, if anything. */
export function portalLock({ prepared, bind }: RepeatablePortal): PortalLock | undefined {
  return prepared.rewrite && lockOf(prepared.rewrite, prepared.types, bindMessage(bind));
}

/** The values of a portal, for the first step of a sequence. @param returns that step returns the client's rows, with their keys */
export function sequenceValues({ prepared, bind }: RepeatablePortal, returns: boolean): SequenceValues {
  const bound = bindMessage(bindTo(bindMessage(bind), REPEATED, SCRATCH));
  // The keys are one column before the client's, in the format that these have; where the step returns keys alone, they are binary.
  const formats = (theirs: readonly number[]) => (theirs.length < 2 ? theirs : [0, ...theirs]);
  return { types: prepared.types, bind: withResultFormats(bound, returns ? formats : () => [1]) };
}

/**
 * The values of a portal, for the statement that finds the rows of a plain sequence: the keys, before the client's columns, are text.
 * @returns undefined where the client wants all of its columns in binary: a format for each would be needed, and their number is unknown
 */
export function plainValues(
  { prepared, bind }: RepeatablePortal,
  { added, returns }: PlainSequence,
): PlainValues | undefined {
  const message = bindMessage(bind);
  if (!returns) return { types: prepared.types, bind: boundTo(message, REPEATED, SCRATCH) };
  let isUnknown = false;
  const formats = (theirs: readonly number[]) => {
    isUnknown = theirs.length === 1 && theirs[0] !== 0;
    return theirs.length < 2 ? [] : [...Array.from({ length: added }, () => 0), ...theirs];
  };
  const bound = withResultFormats(bindMessage(bindTo(message, REPEATED, SCRATCH)), formats);
  return isUnknown ? undefined : { types: prepared.types, bind: bound };
}

function lockOf({ treatments }: Rewrite, types: readonly number[], bind: Message): PortalLock | undefined {
  const [locks] = locksOf(treatments);
  return locks && { locks, types, bind: boundTo(bind, REPEATED, SCRATCH) };
}

/** Whether the proxy has the values of a portal, and nothing of it was executed. */
export function isRepeatable(portal: BoundPortal): portal is RepeatablePortal {
  return portal.bind !== undefined && !portal.executed;
}

/** Whether executing a portal would only find out whether a rule may be broken. */
function onlySuspects({ prepared }: BoundPortal): boolean {
  return prepared.rewrite !== undefined && isSuspecting(prepared.rewrite.treatments);
}

function bindMessage(buffer: Buffer): Message {
  return { type: Frontend.Bind, buffer, start: 0, end: buffer.length, last: true };
}
