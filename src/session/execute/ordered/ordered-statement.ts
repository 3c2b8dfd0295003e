/** A statement whose place a sequence takes, and how it is refused where that cannot be. */
import type { ProxyError } from '../../../errors.js';
import type { SessionEvents } from '../../../observe/session-events.js';
import type { OrderedProgram } from '../../../rewrite/statement/program.js';
import type { CascadeTreatment } from '../../../rewrite/statement/treatment.js';
import { type Rewrite, refusal } from '../../../rewrite/text.js';
import { write } from '../../../wire/frontend.js';
import { swallowedReplies } from '../../answers/results.js';
import type { Decider } from '../../decide/decider.js';
import type { Output } from '../../server/output.js';
import type { OutstandingReplies } from '../../server/outstanding-replies.js';
import { SCRATCH } from '../../server/own-statements.js';
import type { ServerState } from '../../server/server-state.js';

/** The statement whose place the sequence takes. */
export interface OrderedStatement {
  readonly rewrite: Rewrite;
  readonly cascade: CascadeTreatment;
  readonly program: OrderedProgram;
  /** As ErrorTranslation has it. */
  readonly offset: number;
  /** The client gets a description of its rows before them, as in the simple protocol. */
  readonly describes: boolean;
  /** The types of its parameters that the client has declared. */
  readonly types: readonly number[];
  /** The Bind of the client's values to the statement SCRATCH and the portal REPEATED, for results as that needs (`rootsFormats`). */
  readonly bind: Buffer;
  /**
   * The client's Bind, where a transaction that fails may begin again, with nothing lost but this portal; undefined where it may not, and
   * for a Query.
   */
  readonly again?: Buffer | undefined;
}

export interface SequenceParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly decider: Pick<Decider, 'translation'>;
  readonly state: Pick<ServerState, 'profile'>;
  readonly events: Pick<SessionEvents, 'retried'>;
}

/** Sends a text that the server refuses in place of the statement, so that the transaction fails as well. */
export function sendRefusal(error: ProxyError, { decider, replies, server }: SequenceParts): undefined {
  const refused = refusal(error);
  server.write(Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, refused.sql)]));
  const handler = swallowedReplies(decider.translation(refused), () => {});
  replies.expect('Close', handler);
  replies.expect('Parse', handler);
}
