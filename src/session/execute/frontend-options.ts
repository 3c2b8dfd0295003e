/** What the parts of the client's half of a session share. */
import type { SessionEvents } from '../../observe/session-events.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { Decider } from '../decide/decider.js';
import type { Names } from '../decide/names.js';
import type { PendingPrepares } from '../decide/pending-prepares.js';
import type { PreparedStatement } from '../decide/prepared-statement.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { Jit } from '../server/jit.js';
import type { Output } from '../server/output.js';
import type { ExpectedReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';

export interface FrontendOptions {
  readonly events: SessionEvents;
  readonly server: Output;
  readonly replies: ExpectedReplies;
  readonly catalog: SessionCatalog;
  readonly queries: InternalQueries;
  readonly jit: Jit;
  readonly decider: Decider;
  readonly state: ServerState;
  readonly prepared: Names<PreparedStatement>;
  readonly pendingPrepares: PendingPrepares;
  /** False where the configuration switched cascades off: everything passes. */
  readonly active: boolean;
  /** DO and CALL are refused. */
  readonly refusesCode: boolean;
}
