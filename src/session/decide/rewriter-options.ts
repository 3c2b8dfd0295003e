/** What decides about texts is made with. */

import type { SessionEvents } from '../../observe/session-events.js';
import type { TriggerRule } from '../../rewrite/statement/trigger-rule.js';
import type { StatementCache } from '../../rewrite/statement-cache.js';
import type { OtherServer } from '../catalog/other-server.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { ExpectedReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';
import type { Names } from './names.js';
import type { PendingPrepares } from './pending-prepares.js';
import type { PreparedStatement } from './prepared-statement.js';

export interface RewriterOptions {
  readonly statements: StatementCache;
  readonly circumstances: SessionCatalog;
  readonly injection: InternalQueries;
  readonly otherServer: OtherServer;
  readonly prepared: Names<PreparedStatement>;
  readonly naming: PendingPrepares;
  readonly replies: ExpectedReplies;
  readonly state: ServerState;
  /** Refuse what may delete and is not understood; else pass it on, and say so. */
  readonly reject: boolean;
  /** Refuse DO and CALL. */
  readonly refusesCode: boolean;
  readonly events: SessionEvents;
  /** What becomes of triggers that delete. */
  readonly triggers: TriggerRule;
  /** Tells once what a plan warns of. */
  readonly warn: (text: string) => void;
}
