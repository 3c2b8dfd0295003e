/** What the client's half of a session is put together from. */
import type { SessionCircumstances } from './circumstances.js';
import { FrontendSide } from './frontend.js';
import { Injection } from './injection.js';
import { Jit } from './jit.js';
import { knownName, Names } from './names.js';
import { Naming } from './naming.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { OtherServer } from './other-server.js';
import type { Output } from './output.js';
import type { Prepared } from './prepared.js';
import type { ExpectedReplies } from './replies.js';
import { Rewriter } from './rewriter.js';
import type { ServerState } from './server-state.js';
import type { SessionLog } from './session-log.js';

/** What both halves of a session share. */
export interface SharedParts {
  readonly server: Output;
  readonly replies: ExpectedReplies;
  readonly state: ServerState;
  readonly circumstances: SessionCircumstances;
  readonly log: SessionLog;
}

export function assembleFrontend(
  { database, log }: SessionPeers,
  settings: SessionSettings,
  shared: SharedParts,
): FrontendSide {
  const { server, replies, state, circumstances } = shared;
  const { active, graphs, rules, reject, refusesCode, statements, triggers } = settings;
  const report = (problem: string) => log.warn(problem);
  const prepared = new Names<Prepared>((name) => knownName(name, state));
  const naming = new Naming(server);
  const injection = new Injection(server, replies, state);
  const otherServer = new OtherServer({ database, graphs, rules, report, injection, replies, state });
  const rewriter = new Rewriter({
    statements,
    otherServer,
    circumstances,
    injection,
    prepared,
    naming,
    replies,
    state,
    reject,
    refusesCode,
    log: shared.log,
    triggers,
    warn: (text) => graphs.isNews(database, text) && report(`${database}: ${text}`),
  });
  const jit = new Jit(server, replies, state);
  return new FrontendSide({ ...shared, injection, jit, rewriter, prepared, naming, active, refusesCode });
}
