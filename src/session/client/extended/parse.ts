/** Parse: prepares a statement under a name (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). */
import type { Rewrite } from '../../../rewrite/text.js';
import {
  isNoteworthy,
  type Look,
  mayTakeData,
  withoutText,
  withTextCopied,
} from '../../../sql/lexer/look.js';
import { type ParseFields, readParse, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { sealed, sentText } from '../../answers/markers.js';
import { ResultColumns } from '../../answers/result-columns.js';
import { descriptionReplies, undoneReplies } from '../../answers/results.js';
import type { Decider } from '../../decide/decider.js';
import { type PreparedStatement, UNWATCHED } from '../../decide/prepared-statement.js';
import { lockTables } from '../../execute/table-locks.js';
import { encodingOf } from '../../server/encoding.js';
import type { ServerState } from '../../server/server-state.js';
import { forward, type ServerSide } from '../forwarding.js';
import { MessageHandler } from '../message-handler.js';
import type { Portals } from '../portals.js';
import type { PreparedStatements } from '../prepared-statements.js';
import type { UnansweredNames } from '../unanswered-names.js';
import type { UnitOfWork } from '../unit-of-work.js';
import type { UnnamedStatement } from '../unnamed-statement.js';

interface ParseParts extends ServerSide {
  readonly state: ServerState;
  readonly decider: Decider;
  readonly prepared: PreparedStatements;
  readonly portals: Portals;
  readonly unanswered: UnansweredNames;
  readonly unnamed: UnnamedStatement;
  readonly unit: UnitOfWork;
}

export class Parse extends MessageHandler<ParseParts> {
  take(message: Message): Promise<void> | undefined {
    const { decider, portals, prepared, state } = this.parts;
    const parse = readParse(message);
    // The server refuses what is not well-formed.
    if (parse === undefined) return forward(message, 'Parse', this.parts);
    const { name, types } = parse;
    const rebound = name === '' ? portals.rebindNext() : undefined;
    if (rebound) return rebound.then(() => this.take(message));
    const look = decider.look(parse.text);
    if (!decider.mayReplace(look)) return this.#forward(message, parse, look);
    const encoding = encodingOf(state);
    return decider.decide(look, prepared.source(name, { types, encoding })).then((decision) => {
      if (decision.kind === 'pass') return this.#forward(message, parse, look);
      return this.#send(message, parse, { look, encoding, types }, decision.rewrite);
    });
  }

  /**
   * Sends a text for which nothing is decided. Its name is entered where executing it does something that the session has to know,
   * or begins or ends a transaction (early-question.ts). The text is kept as well where it would be decided under another policy.
   */
  #forward(message: Message, { name, types }: ParseFields, look: Look): undefined {
    const { decider, prepared, replies, server, state, unanswered } = this.parts;
    server.forward(message);
    const isWatched = look.effect !== 'none' || look.begins === 'control' || mayTakeData(look);
    const passed = isNoteworthy(look, true) && {
      look: withTextCopied(look),
      encoding: encodingOf(state),
      result: new ResultColumns(),
      passedBy: decider.policy,
    };
    const statement =
      passed || isWatched ? { ...UNWATCHED, types, look: withoutText(look), ...passed } : undefined;
    if (statement || prepared.get(name))
      unanswered.expect('Parse', undoneReplies(prepared.set(name, statement)));
    else replies.expect('Parse');
  }

  /**
   * Sends what was decided for a text, and has the server describe it: whether a later use of the name returns the same columns is told
   * by these.
   * @param unsealed what is sent, but for its marker
   */
  #send(
    message: Message,
    { name }: ParseFields,
    text: Pick<PreparedStatement, 'look' | 'encoding' | 'types'>,
    unsealed: Rewrite,
  ): undefined {
    const { decider, prepared, replies, server, unanswered, unit, unnamed } = this.parts;
    lockTables(unsealed, this.parts);
    if (name === '' && unnamed.describeInstead(text, unsealed, unit.disturbances)) return;
    const rewrite = sealed(unsealed);
    const result = new ResultColumns();
    const statement: PreparedStatement = {
      ...UNWATCHED,
      ...text,
      look: withTextCopied(text.look),
      rewrite,
      grounds: decider.grounds.of(text.look, rewrite),
      result,
    };
    const undo = prepared.set(name, statement);
    if (name === '') unnamed.sent(statement, unit.disturbances);
    if (rewrite.changed) server.write(write.parse(name, sentText(rewrite), text.types));
    else server.forward(message);
    unanswered.expect('Parse', descriptionReplies(decider.translation(rewrite), undo));
    if (rewrite.targets.length === 0) return;
    server.write(write.describeStatement(name));
    replies.expect('Describe', result.described(rewrite));
  }
}
