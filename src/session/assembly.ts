/** Puts a session together. */

import type { LoggedIn } from '../auth/login.js';
import type { StatementCache } from '../rewrite/statement-cache.js';
import { DatabaseWarnings } from './catalog/database-warnings.js';
import { OtherServer } from './catalog/other-server.js';
import type { ReportedSettings } from './catalog/reported-settings.js';
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
import { ClientNames, knownName } from './decide/names.js';
import { PendingPrepares } from './decide/pending-prepares.js';
import type { PreparedStatement } from './decide/prepared-statement.js';
import { Dispatch, type Handlers } from './dispatch.js';
import { Executor } from './execute/executor.js';
import { Harmlessness } from './execute/harmlessness.js';
import { PortalLocks } from './execute/portal-locks.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { GuardSetting } from './policy/guard-setting.js';
import { SessionPolicy } from './policy/policy.js';
import { PolicyChange } from './policy-change.js';
import { InternalQueries } from './server/internal-query.js';
import { Jit } from './server/jit.js';
import { Output } from './server/output.js';
import { OutstandingReplies } from './server/outstanding-replies.js';
import { ServerState } from './server/server-state.js';
import { Stops } from './server/stops.js';
import { TransactionState } from './server/transaction-state.js';
import { ServerMessages } from './server-messages.js';

/**
 * All parts of a session. Each part is given this one object, keeps it, and finds the parts that it uses in it: an object of its own for
 * each would take kilobytes of an idle session (`npm run bench -- idle`). When the first message comes all parts are there; a part
 * that uses another one while it is made comes after that one.
 */
export class SessionParts {
  readonly database: string;
  readonly host: string;
  readonly family: SessionSettings['family'];
  readonly events: SessionPeers['events'];
  readonly counting: boolean;
  readonly obstacle: SessionSettings['obstacle'];
  readonly statements: StatementCache;
  readonly policy: SessionPolicy;
  readonly guardSetting: GuardSetting;
  /** To the client. */
  readonly client: Output;
  /** To the server. */
  readonly server: Output;
  readonly replies = new OutstandingReplies();
  readonly state: ServerState;
  readonly transaction: TransactionState;
  readonly catalog: SessionCatalog;
  readonly warnings: DatabaseWarnings;
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly pendingPrepares: PendingPrepares;
  readonly queries: InternalQueries;
  readonly otherServer: OtherServer;
  readonly decider: Decider;
  /** The settings by which the server reads texts. */
  readonly settings: ReportedSettings;
  readonly jit: Jit;
  readonly harmlessness: Harmlessness;
  readonly locks: PortalLocks;
  readonly executor: Executor;
  readonly unit: UnitOfWork;
  readonly unanswered: UnansweredNames;
  readonly prepared: PreparedStatements;
  readonly portals: Portals;
  readonly unitEnd: UnitEnd;
  readonly copyIn: CopyIn;
  readonly unnamed: UnnamedStatement;
  readonly statementByStatement: StatementByStatement;
  readonly sender: QuerySender;
  readonly early: EarlyQuestion;
  readonly knownNames: KnownNames;
  readonly policyChange: PolicyChange;
  readonly handlers: Handlers;
  readonly fromClient: ClientMessages;
  readonly frontend: Dispatch;
  readonly backend: ServerMessages;
  readonly stops = new Stops();

  constructor(peers: SessionPeers, { server, parameters, status }: LoggedIn, settings: SessionSettings) {
    const { replies } = this;
    this.database = peers.database;
    this.host = peers.host;
    this.family = settings.family;
    this.events = peers.events;
    this.counting = settings.counting;
    this.obstacle = settings.obstacle;
    this.statements = settings.statements;
    this.policy = new SessionPolicy(settings.policy);
    this.guardSetting = new GuardSetting(peers.startup);
    this.client = new Output(peers.client);
    this.server = new Output(server);
    const state = new ServerState(parameters, status);
    this.state = state;
    this.transaction = new TransactionState(replies, state);
    this.catalog = new SessionCatalog(this);
    this.warnings = new DatabaseWarnings(this);
    this.statementNames = new ClientNames((name) => knownName(name, state));
    this.pendingPrepares = new PendingPrepares(this.server);
    this.queries = new InternalQueries(this.server, replies, state);
    this.otherServer = new OtherServer(this);
    this.decider = new Decider(this);
    this.settings = this.decider.settings;
    this.jit = new Jit(this.server, replies, state);
    this.harmlessness = new Harmlessness(this);
    this.locks = new PortalLocks(this);
    this.executor = new Executor(this);
    this.unit = new UnitOfWork(replies, state);
    this.unanswered = new UnansweredNames(replies);
    this.prepared = new PreparedStatements(this);
    this.portals = new Portals(this);
    this.unitEnd = new UnitEnd(this);
    this.copyIn = new CopyIn(this.server, replies, this.unitEnd);
    this.unnamed = new UnnamedStatement(this);
    this.statementByStatement = new StatementByStatement(this);
    this.sender = new QuerySender(this);
    this.early = new EarlyQuestion(this);
    this.knownNames = new KnownNames(this.pendingPrepares, this.unanswered);
    this.policyChange = new PolicyChange(this);
    this.handlers = handlersOf(this);
    this.fromClient = new ClientMessages(this.server, settings.messageBytes, () => this.catalog.arrived());
    this.frontend = new Dispatch(this);
    this.backend = new ServerMessages(this);
  }
}

/** The handlers of the client's messages, by the names that `HANDLERS` of dispatch.ts gives them. */
function handlersOf(parts: SessionParts): Handlers {
  return {
    query: new SimpleQuery(parts),
    parse: new Parse(parts),
    bind: new Bind(parts),
    describe: new Describe(parts),
    execute: new Execute(parts),
    close: new Close(parts),
    flush: new Flush(parts),
    sync: new Sync(parts),
    functionCall: new FunctionCall(parts),
  };
}
