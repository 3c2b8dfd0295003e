/** What a session's decider is made with: each part of it takes what it uses. */

import type { ProxyError } from '../../errors.js';
import type { SessionEvents } from '../../observe/session-events.js';
import type { StatementCache } from '../../rewrite/statement-cache.js';
import type { DatabaseWarnings } from '../catalog/database-warnings.js';
import type { OtherServer } from '../catalog/other-server.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { GuardSetting } from '../policy/guard-setting.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';
import type { TransactionState } from '../server/transaction-state.js';
import type { ClientNames } from './names.js';
import type { PendingPrepares } from './pending-prepares.js';
import type { PreparedStatement } from './prepared-statement.js';

export interface DeciderOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  readonly policy: SessionPolicy;
  readonly guardSetting: GuardSetting;
  /** Count the rows that a cascade takes, by table. */
  readonly counting: boolean;
  /** Why no cascade may be sent now, if anything: asked before each. */
  readonly obstacle: () => ProxyError | undefined;
  readonly statements: StatementCache;
  readonly catalog: SessionCatalog;
  readonly queries: InternalQueries;
  readonly otherServer: OtherServer;
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly pendingPrepares: PendingPrepares;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly transaction: TransactionState;
  readonly events: SessionEvents;
  readonly warnings: DatabaseWarnings;
}
