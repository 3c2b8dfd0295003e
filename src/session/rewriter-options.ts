/** What decides about texts is made with. */
import type { SessionCircumstances } from './circumstances.js';
import type { Injection } from './injection.js';
import type { Names } from './names.js';
import type { Naming } from './naming.js';
import type { OtherServer } from './other-server.js';
import type { Prepared } from './prepared.js';
import type { ExpectedReplies } from './replies.js';
import type { ServerState } from './server-state.js';
import type { SessionLog } from './session-log.js';
import type { StatementCache } from './statement-cache.js';
import type { TriggerRule } from './trigger-rule.js';

export interface RewriterOptions {
  readonly statements: StatementCache;
  readonly circumstances: SessionCircumstances;
  readonly injection: Injection;
  readonly otherServer: OtherServer;
  readonly prepared: Names<Prepared>;
  readonly naming: Naming;
  readonly replies: ExpectedReplies;
  readonly state: ServerState;
  /** Refuse what may delete and is not understood; else pass it on, and say so. */
  readonly reject: boolean;
  /** Refuse DO and CALL. */
  readonly refusesCode: boolean;
  readonly log: SessionLog;
  /** What becomes of triggers that delete, and who is told of them. */
  readonly triggers: TriggerRule;
  readonly warn: (text: string) => void;
}
