/** Describe: asks what a statement takes and returns, or what a portal returns (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import { programOf } from '../../../rewrite/retries.js';
import { readTarget } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { descriptionReplies } from '../../answers/results.js';
import type { Decider } from '../../decide/decider.js';
import type { PreparedStatement } from '../../decide/prepared-statement.js';
import { isRefusal } from '../../decide/replacement.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import { type BoundPortal, isRepeatable, type Portals, plainValues } from '../portals.js';
import type { PreparedStatements } from '../prepared-statements.js';
import { describePlain } from './plain-portal.js';

interface DescribeParts extends ServerSide {
  readonly decider: Decider;
  readonly prepared: PreparedStatements;
  readonly portals: Portals;
}

export class Describe extends MessageHandler<DescribeParts> {
  take(message: Message): Promise<void> | undefined {
    const { portals, prepared } = this.parts;
    const target = readTarget(message);
    // The server refuses what is not well-formed.
    if (target === undefined) return forward(message, 'Describe', this.parts);
    const { kind, name } = target;
    if (kind === 'P') return this.#describePortal(message, portals.get(name));
    const statement = prepared.get(name);
    if (statement?.rewrite === undefined) return this.#send(message, statement);
    return this.#upToDate(name, statement).then((current) => this.#send(message, current));
  }

  #describePortal(message: Message, portal: BoundPortal | undefined): undefined {
    const program = programOf(portal?.prepared.rewrite?.treatments ?? []);
    const isPlain = program?.kind === 'plain' && portal !== undefined && isRepeatable(portal);
    const values = isPlain ? plainValues(portal, program.sequence) : undefined;
    return isPlain && values
      ? describePlain(program, values, this.parts)
      : this.#send(message, portal?.prepared);
  }

  /**
   * A refusal is for the execution: the statement that the server has is described all the same. Where its result has changed, the
   * server itself refuses to describe it.
   * @returns the statement, which is prepared again if another text has to be sent for it now
   */
  async #upToDate(name: string, statement: PreparedStatement): Promise<PreparedStatement> {
    const { prepared } = this.parts;
    const wanted = await prepared.wanted(name, statement, true);
    return wanted && !isRefusal(wanted) ? prepared.prepareAgain(name, statement, wanted) : statement;
  }

  #send(message: Message, described: PreparedStatement | undefined): undefined {
    const { decider } = this.parts;
    const handler = described?.rewrite && descriptionReplies(decider.translation(described.rewrite));
    return forward(message, 'Describe', this.parts, handler);
  }
}
