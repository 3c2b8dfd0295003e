/** Bind: makes a portal of a prepared statement and values (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import { mayTakeData } from '../../../sql/lexer/look.js';
import { type BindFields, readBind } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { descriptionReplies, undoneReplies } from '../../answers/results.js';
import type { Decider } from '../../decide/decider.js';
import { isUndecided, type PreparedStatement } from '../../decide/prepared-statement.js';
import { lockTables } from '../../execute/table-locks.js';
import type { Jit } from '../../server/jit.js';
import { isShort, repeatableBind, withOwnFormats } from '../bind-message.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import type { Portals } from '../portals.js';
import type { PreparedStatements } from '../prepared-statements.js';
import type { UnitOfWork } from '../unit-of-work.js';

interface BindParts extends ServerSide {
  readonly decider: Decider;
  readonly jit: Jit;
  readonly prepared: PreparedStatements;
  readonly portals: Portals;
  readonly unit: UnitOfWork;
}

export class Bind extends MessageHandler<BindParts> {
  take(message: Message): Promise<void> | undefined {
    const { decider } = this.parts;
    const bind = readBind(message);
    // The server refuses what is not well-formed.
    if (bind === undefined) return forward(message, 'Bind', this.parts);
    const prepared = this.parts.prepared.get(bind.statement);
    const isPassed = prepared?.rewrite === undefined && !(prepared && isUndecided(prepared, decider.policy));
    if (isPassed) return this.#send(message, bind, prepared);
    if (!repeatsMarker(message, prepared) && decider.grounds.hold(prepared))
      return this.#send(message, bind, isForwarded(prepared) ? undefined : prepared);
    return this.#upToDate(message, bind, prepared).then((current) => this.#send(message, bind, current));
  }

  /** @returns the statement, which is prepared again if another text has to be sent for it now, or another marker */
  async #upToDate(
    message: Message,
    { statement }: BindFields,
    prepared: PreparedStatement,
  ): Promise<PreparedStatement> {
    const needsMarker = repeatsMarker(message, prepared) && !prepared.inSql;
    const known = needsMarker ? { ...prepared, lost: true } : prepared;
    const wanted = await this.parts.prepared.wanted(statement, known, isShort(message));
    if (wanted) return this.parts.prepared.prepareAgain(statement, known, wanted);
    return this.parts.prepared.get(statement) ?? prepared;
  }

  /** @param prepared the statement, as the server has it; undefined where the proxy does not enter its portal */
  #send(
    message: Message,
    { portal, statement }: BindFields,
    prepared: PreparedStatement | undefined,
  ): undefined {
    const { decider, jit, portals, replies, server, unit } = this.parts;
    unit.bind();
    lockTables(prepared?.rewrite, this.parts);
    const bound = prepared && {
      prepared,
      statement,
      bind: repeatableBind(message, prepared),
      executed: false,
    };
    const undo = bound || portals.get(portal) ? portals.set(portal, bound) : undefined;
    const ownFormats = withOwnFormats(message, prepared);
    if (ownFormats) server.write(ownFormats);
    else {
      jit.on();
      server.forward(message);
    }
    const handler = prepared?.rewrite
      ? descriptionReplies(decider.translation(prepared.rewrite), undo)
      : undo && undoneReplies(undo);
    replies.expect('Bind', handler);
  }
}

/** Whether a value has the marker of the statement in it: an error that shows the value would then look like one of the statement's own. */
function repeatsMarker({ buffer, start, end }: Message, { rewrite }: PreparedStatement): boolean {
  return rewrite?.marker !== undefined && buffer.subarray(start, end).includes(rewrite.marker);
}

/** Whether Executes of a statement are forwarded: nothing in it was replaced, and it changes nothing that the session remembers. */
function isForwarded({ look, rewrite }: PreparedStatement): boolean {
  if (rewrite === undefined || rewrite.changed || look.effect !== 'none' || mayTakeData(look)) return false;
  if (look.begins === 'control') return false;
  return rewrite.treatments.every((each) => each.kind === 'forward' && each.atLimit === undefined);
}
