/** A statement that is carried out in plain statements, and the parts of the session that do it. */
import type { SessionEvents } from '../../../observe/session-events.js';
import type { PlainProgram } from '../../../rewrite/statement/program.js';
import type { CascadeTreatment } from '../../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../../rewrite/text.js';
import type { Decider } from '../../decide/decider.js';
import type { Output } from '../../server/output.js';
import type { OutstandingReplies } from '../../server/outstanding-replies.js';
import type { ServerState } from '../../server/server-state.js';

/** The client's statement: its Query, or the portal that it executes. */
export interface PlainStatement {
  readonly rewrite: Rewrite;
  readonly cascade: CascadeTreatment;
  readonly program: PlainProgram;
  /** What the client sent to have it executed. */
  readonly message: 'Query' | 'Execute';
  /** The Parse of the client's unnamed statement, where the portal was bound to that: simple queries drop it, so it is sent again at the end. */
  readonly restore?: Buffer | undefined;
  /** The values of its portal, for the statement that finds the client's rows; undefined for a Query. */
  readonly values: PlainValues | undefined;
}

/** The values of a portal. */
export interface PlainValues {
  /** The types of its parameters that the client has declared. */
  readonly types: readonly number[];
  /** The Bind of the client's values to the statement SCRATCH and the portal REPEATED. */
  readonly bind: Buffer;
}

export interface PlainParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly decider: Pick<Decider, 'translation'>;
  readonly events: Pick<SessionEvents, 'retried'>;
}
