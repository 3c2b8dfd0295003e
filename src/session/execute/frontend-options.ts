/** What the parts of the client's half of a session share. */
import type { SessionCircumstances } from '../catalog/session-catalog.js';
import type { Names } from '../decide/names.js';
import type { Naming } from '../decide/pending-prepares.js';
import type { Prepared } from '../decide/prepared-statement.js';
import type { Rewriter } from '../decide/rewriter.js';
import type { Injection } from '../server/internal-query.js';
import type { Jit } from '../server/jit.js';
import type { Output } from '../server/output.js';
import type { ExpectedReplies } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';

export interface FrontendOptions {
  readonly server: Output;
  readonly replies: ExpectedReplies;
  readonly circumstances: SessionCircumstances;
  readonly injection: Injection;
  readonly jit: Jit;
  readonly rewriter: Rewriter;
  readonly state: ServerState;
  readonly prepared: Names<Prepared>;
  readonly naming: Naming;
  /** False where the configuration switched cascades off: everything passes. */
  readonly active: boolean;
  /** DO and CALL are refused. */
  readonly refusesCode: boolean;
}
