/** What a session is put together from. */

import type { LoggedIn } from '../auth/login.js';
import { Frontend } from '../wire/types.js';
import { DatabaseWarnings } from './catalog/database-warnings.js';
import { OtherServer } from './catalog/other-server.js';
import { SessionCatalog } from './catalog/session-catalog.js';
import { ClientMessages } from './client/client-messages.js';
import { CopyIn } from './client/copy-in.js';
import { Bind } from './client/extended/bind.js';
import { Close } from './client/extended/close.js';
import { Describe } from './client/extended/describe.js';
import { EarlyQuestion } from './client/extended/early-question.js';
import { Execute } from './client/extended/execute.js';
import { Flush } from './client/extended/flush.js';
import { KnownNames } from './client/extended/known-names.js';
import { Parse } from './client/extended/parse.js';
import { Sync } from './client/extended/sync.js';
import { FunctionCall } from './client/function-call.js';
import { Portals } from './client/portals.js';
import { PreparedStatements } from './client/prepared-statements.js';
import { QuerySender } from './client/simple/query-sender.js';
import { SimpleQuery } from './client/simple/simple-query.js';
import { StatementByStatement } from './client/simple/statement-by-statement.js';
import { UnansweredNames } from './client/unanswered-names.js';
import { UnitEnd } from './client/unit-end.js';
import { UnitOfWork } from './client/unit-of-work.js';
import { UnnamedStatement } from './client/unnamed-statement.js';
import { Decider } from './decide/decider.js';
import { knownName, Names } from './decide/names.js';
import { PendingPrepares } from './decide/pending-prepares.js';
import type { PreparedStatement } from './decide/prepared-statement.js';
import { Dispatch, type Handlers } from './dispatch.js';
import { Executor } from './execute/executor.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { GuardSetting } from './policy/guard-setting.js';
import { SessionPolicy } from './policy/policy.js';
import { PolicyChange } from './policy-change.js';
import { InternalQueries } from './server/internal-query.js';
import { Jit } from './server/jit.js';
import { Output } from './server/output.js';
import { OutstandingReplies } from './server/outstanding-replies.js';
import { ServerState } from './server/server-state.js';
import { TransactionState } from './server/transaction-state.js';
import { ServerMessages } from './server-messages.js';

/** What both halves of a session share. */
interface SharedParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly transaction: TransactionState;
  readonly catalog: SessionCatalog;
  readonly policy: SessionPolicy;
}

/** What a session itself uses. */
export interface SessionParts {
  readonly toClient: Output;
  readonly toServer: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly fromClient: ClientMessages;
  readonly frontend: Dispatch;
  readonly backend: ServerMessages;
}

export function assembleSession(
  peers: SessionPeers,
  { server, parameters, status }: LoggedIn,
  settings: SessionSettings,
): SessionParts {
  const { database, events } = peers;
  const policy = new SessionPolicy(settings.policy);
  const [toClient, toServer] = [new Output(peers.client), new Output(server)];
  const replies = new OutstandingReplies();
  const state = new ServerState(parameters, status);
  const transaction = new TransactionState(replies, state);
  const catalog = new SessionCatalog({ database, policy, events });
  const fromClient = new ClientMessages(toServer, settings.messageBytes, () => catalog.arrived());
  const frontend = assembleFrontend(peers, settings, {
    server: toServer,
    replies,
    state,
    transaction,
    catalog,
    policy,
  });
  const backend = new ServerMessages({ client: toClient, replies, state, transaction, catalog, events });
  return { toClient, toServer, replies, state, fromClient, frontend, backend };
}

function assembleFrontend(
  { database, events, startup }: SessionPeers,
  settings: SessionSettings,
  shared: SharedParts,
): Dispatch {
  const { server, replies, state, transaction, catalog, policy } = shared;
  const { counting, obstacle, statements } = settings;
  const statementNames = new Names<PreparedStatement>((name) => knownName(name, state));
  const pendingPrepares = new PendingPrepares(server);
  const queries = new InternalQueries(server, replies, state);
  const otherServer = new OtherServer({
    database,
    policy,
    events,
    queries,
    state,
    transaction,
  });
  const decider = new Decider({
    policy,
    guardSetting: new GuardSetting(startup),
    statements,
    otherServer,
    catalog,
    queries,
    prepared: statementNames,
    pendingPrepares,
    replies,
    state,
    transaction,
    counting,
    obstacle,
    events,
    warnings: new DatabaseWarnings({ database, policy, events }),
  });
  const jit = new Jit(server, replies, state);
  const executor = new Executor({ ...shared, queries, decider, jit, statementNames, events });
  return assembleDispatch({ ...shared, executor, decider, jit, statementNames, pendingPrepares, queries });
}

interface DispatchParts extends SharedParts {
  readonly executor: Executor;
  readonly decider: Decider;
  readonly jit: Jit;
  readonly statementNames: Names<PreparedStatement>;
  readonly pendingPrepares: PendingPrepares;
  readonly queries: InternalQueries;
}

/** What handles the messages. What is made later uses what is made before. */
function assembleDispatch(parts: DispatchParts): Dispatch {
  const { decider, pendingPrepares, replies, server, state } = parts;
  const unit = new UnitOfWork(replies, state);
  const unanswered = new UnansweredNames(replies);
  const prepared = new PreparedStatements({ ...parts, unit });
  const portals = new Portals({ ...parts, prepared });
  const unitEnd = new UnitEnd({ ...parts, unit, unanswered, portals });
  const copyIn = new CopyIn(server, replies, unitEnd);
  const unnamed = new UnnamedStatement({ ...parts, prepared });
  const statementByStatement = new StatementByStatement(parts);
  const sender = new QuerySender({ ...parts, unanswered, unitEnd, statementByStatement });
  const shared = { ...parts, unit, unanswered, prepared, portals, unitEnd, copyIn };
  const handlers: Handlers = {
    [Frontend.Query]: new SimpleQuery({ ...shared, sender }),
    [Frontend.Parse]: new Parse({ ...shared, unnamed }),
    [Frontend.Bind]: new Bind(shared),
    [Frontend.Describe]: new Describe(shared),
    [Frontend.Execute]: new Execute(shared),
    [Frontend.Close]: new Close(shared),
    [Frontend.Flush]: new Flush(shared),
    [Frontend.Sync]: new Sync(shared),
    [Frontend.FunctionCall]: new FunctionCall(shared),
  };
  const knownNames = new KnownNames(pendingPrepares, unanswered);
  const { settings } = decider;
  const early = new EarlyQuestion(shared);
  const policyChange = new PolicyChange(shared);
  return new Dispatch({
    ...{ handlers, server, replies, copyIn, early, knownNames, settings, unit, unitEnd, policyChange },
  });
}
