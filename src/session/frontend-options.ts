/** What the parts of the client's half of a session share. */
import type { SessionCircumstances } from './circumstances.js';
import type { Injection } from './injection.js';
import type { Jit } from './jit.js';
import type { Names } from './names.js';
import type { Naming } from './naming.js';
import type { Output } from './output.js';
import type { Prepared } from './prepared.js';
import type { ExpectedReplies } from './replies.js';
import type { Rewriter } from './rewriter.js';
import type { ServerState } from './server-state.js';

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
