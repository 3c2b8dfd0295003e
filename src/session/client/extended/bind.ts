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
    if (this.#isUnspent(message, prepared) && decider.grounds.hold(prepared))
      return this.#send(message, bind, isUnconcerned(prepared) ? undefined : prepared);
    return this.#asWanted(message, bind, prepared).then((current) => this.#send(message, bind, current));
  }

  /** @returns the statement as it has to be by now */
  async #asWanted(
    message: Message,
    { statement }: BindFields,
    prepared: PreparedStatement,
  ): Promise<PreparedStatement> {
    // The statement is prepared again, with another marker.
    const isSpent = !this.#isUnspent(message, prepared);
    const known = isSpent && !prepared.inSql ? { ...prepared, lost: true } : prepared;
    const wanted = await this.parts.prepared.wanted(statement, known, isShort(message));
    if (wanted) return this.parts.prepared.prepareAgain(statement, known, wanted);
    return this.parts.prepared.get(statement) ?? prepared;
  }

  /** A value that repeats the marker makes it worthless. */
  #isUnspent({ buffer, start, end }: Message, { rewrite }: PreparedStatement): boolean {
    const marker = rewrite?.marker;
    return marker === undefined || !buffer.subarray(start, end).includes(marker);
  }

  /** Sends the Bind of a statement that the server has as it should be. */
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

/** Whether the portal of a statement is one in which the proxy has no hand: nothing in it was replaced, and it changes nothing that is known here. */
function isUnconcerned({ look, rewrite }: PreparedStatement): boolean {
  if (rewrite === undefined || rewrite.changed || look.effect !== 'none' || mayTakeData(look)) return false;
  if (look.begins === 'control') return false;
  return rewrite.treatments.every((each) => each.kind === 'forward' && each.atLimit === undefined);
}
