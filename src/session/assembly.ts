/** What the client's half of a session is put together from. */

import { OtherServer } from './catalog/other-server.js';
import type { SessionCatalog } from './catalog/session-catalog.js';
import { Dispatch } from './client/dispatch.js';
import { Decider } from './decide/decider.js';
import { knownName, Names } from './decide/names.js';
import { PendingPrepares } from './decide/pending-prepares.js';
import type { PreparedStatement } from './decide/prepared-statement.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { InternalQueries } from './server/internal-query.js';
import { Jit } from './server/jit.js';
import type { Output } from './server/output.js';
import type { ExpectedReplies } from './server/outstanding-replies.js';
import type { ServerState } from './server/server-state.js';

/** What both halves of a session share. */
export interface SharedParts {
  readonly server: Output;
  readonly replies: ExpectedReplies;
  readonly state: ServerState;
  readonly catalog: SessionCatalog;
}

export function assembleFrontend(
  { database, events }: SessionPeers,
  settings: SessionSettings,
  shared: SharedParts,
): Dispatch {
  const { server, replies, state, catalog } = shared;
  const { active, graphs, rules, reject, refusesCode, statements, triggers } = settings;
  const prepared = new Names<PreparedStatement>((name) => knownName(name, state));
  const pendingPrepares = new PendingPrepares(server);
  const queries = new InternalQueries(server, replies, state);
  const otherServer = new OtherServer({
    database,
    graphs,
    rules,
    events,
    queries,
    replies,
    state,
  });
  const decider = new Decider({
    active,
    statements,
    otherServer,
    catalog,
    queries,
    prepared,
    pendingPrepares,
    replies,
    state,
    reject,
    refusesCode,
    events,
    triggers,
    warn: (text) => graphs.isNews(database, text) && events.warned(`${database}: ${text}`),
  });
  const jit = new Jit(server, replies, state);
  return new Dispatch({
    ...shared,
    events,
    queries,
    jit,
    decider,
    prepared,
    pendingPrepares,
    active,
    refusesCode,
  });
}
