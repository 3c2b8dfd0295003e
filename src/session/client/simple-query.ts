/** The simple query protocol of a session: Query (protocol-flow.html#PROTOCOL-FLOW-SIMPLE-QUERY). */
import { isSuspecting, planOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import { type Look, mayTakeData, withTextCopied } from '../../sql/lexer/look.js';
import { queryText, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { TransactionStatus } from '../../wire/types.js';
import { sealed, sentText } from '../answers/markers.js';
import { queryReplies } from '../answers/results.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { Decider } from '../decide/decider.js';
import { type Decision, PASS, type SeparateStatement } from '../decide/decision.js';
import type { Executor } from '../execute/executor.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { Jit } from '../server/jit.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies, ReplyHandler } from '../server/outstanding-replies.js';
import type { ServerState } from '../server/server-state.js';
import type { CopyIn } from './copy-in.js';
import type { PreparedStatements } from './prepared-statements.js';
import type { StatementByStatement } from './statement-by-statement.js';
import type { UnansweredNames } from './unanswered-names.js';
import type { UnitEnd } from './unit-end.js';
import type { UnitOfWork } from './unit-of-work.js';

interface SimpleQueryOptions {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly state: ServerState;
  readonly catalog: SessionCatalog;
  readonly decider: Decider;
  readonly queries: InternalQueries;
  readonly jit: Jit;
  readonly executor: Executor;
  readonly prepared: Pick<PreparedStatements, 'forget'>;
  readonly unanswered: UnansweredNames;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
  readonly copyIn: CopyIn;
  readonly statementByStatement: StatementByStatement;
}

/** What a Query finds when it comes. */
interface Situation {
  /** From the first Execute on a query belongs to the implicit transaction of the messages before it. */
  readonly protocol: Protocol;
  /** Whether it is certain that a transaction block is open, which then goes on. */
  readonly inBlock: boolean;
  /** Takes back that the unnamed statement was dropped, where there was one: the server may skip the query after an error. */
  readonly undo?: (() => void) | undefined;
}

export class SimpleQuery {
  readonly #options: SimpleQueryOptions;

  constructor(options: SimpleQueryOptions) {
    this.#options = options;
  }

  /** As Dispatch.take. After a text that may take data nothing is sent before the server has said whether it does. */
  take(message: Message): Promise<void> | undefined {
    const { copyIn, decider, jit } = this.#options;
    jit.on();
    const text = queryText(message);
    if (text === undefined) return this.#forward(message, { protocol: 'simple', inBlock: false });
    const seen = decider.look(text);
    const sent = this.#decideAndSend(message, seen);
    if (!mayTakeData(seen)) return sent;
    return sent ? sent.then(() => copyIn.decided()) : copyIn.decided();
  }

  #decideAndSend(message: Message, seen: Look): Promise<void> | undefined {
    const { catalog, decider, queries, replies, state, unit } = this.#options;
    if (queries.hasImplicitTransaction && !unit.hasExecuted)
      return queries.endImplicitTransaction().then(() => this.#decideAndSend(message, seen));
    const situation = this.#situation();
    const { protocol, inBlock } = situation;
    if (protocol === 'extended') queries.queryInPipeline();
    const retries = protocol === 'simple' && replies.settled && state.status === TransactionStatus.Idle;
    // The earlier messages of the same unit of work are executed first, and may change what names mean.
    if (!unit.isBetweenUnits) catalog.unitEnds(inBlock);
    if (!decider.concerns(seen)) {
      if (retries && decider.isLate(seen)) return this.#renewAndForward(message, seen, situation);
      catalog.invalidateBy(seen);
      return this.#forward(message, situation);
    }
    const isIdle = decider.isIdle(seen);
    if (isIdle === false) return this.#decide(message, seen, situation, retries);
    if (isIdle === true) return this.#sendDecided(message, seen, PASS, situation);
    return isIdle.then((it) =>
      it
        ? this.#sendDecided(message, seen, PASS, situation)
        : this.#decide(message, seen, situation, retries),
    );
  }

  #decide(message: Message, seen: Look, situation: Situation, retries: boolean): Promise<void> {
    const { protocol } = situation;
    return this.#options.decider
      .decide(seen, { protocol, inString: true, types: [], retries, prepares: protocol === 'simple' })
      .then((decision) => this.#sendDecided(message, seen, decision, situation));
  }

  async #renewAndForward(message: Message, seen: Look, situation: Situation): Promise<void> {
    const { catalog, decider, unitEnd } = this.#options;
    if (!(await decider.renew())) {
      unitEnd.end(situation.inBlock);
      return;
    }
    catalog.invalidateBy(seen);
    this.#forward(message, situation);
  }

  /** The unnamed statement is dropped with it (postgres.c, exec_simple_query). */
  #situation(): Situation {
    const { prepared, unit } = this.#options;
    const protocol = unit.hasExecuted ? 'extended' : 'simple';
    const inBlock = protocol === 'simple' && unit.isInBlock === true;
    return { protocol, inBlock, undo: prepared.forget('') };
  }

  #sendDecided(
    message: Message,
    seen: Look,
    decision: Decision,
    situation: Situation,
  ): Promise<void> | undefined {
    const { catalog, unitEnd } = this.#options;
    if (decision.kind === 'statementByStatement') return this.#sendOneByOne(decision.statements);
    catalog.invalidateBy(seen);
    // Where a question failed in a query of its own, the client has its error and its ReadyForQuery.
    if (decision.kind === 'failed' && situation.protocol === 'simple') {
      unitEnd.end(situation.inBlock);
      return undefined;
    }
    if (decision.kind === 'pass') return this.#forward(message, situation);
    return this.#send(message, seen, decision.rewrite, situation);
  }

  async #sendOneByOne(statements: Iterable<SeparateStatement>): Promise<void> {
    await this.#options.statementByStatement.send(statements);
    this.#options.unitEnd.end(false);
  }

  /** Sends what takes the query's place; what is expanded may be sent again. */
  #send(message: Message, seen: Look, rewrite: Rewrite, situation: Situation): Promise<void> | undefined {
    const { executor, decider, server, unitEnd } = this.#options;
    const { protocol, inBlock, undo } = situation;
    const { rules } = rewrite;
    if (protocol === 'simple' && (planOf(rules) || isSuspecting(rules) || rewrite.leftPrepared)) {
      const done = executor.query({ seen: withTextCopied(seen), rewrite, skipped: undo });
      unitEnd.end(inBlock);
      return done.then((statements) => statements && this.#sendOneByOne(statements));
    }
    const sent = sealed(rewrite);
    if (sent.changed) server.write(write.query(sentText(sent)));
    else server.forward(message);
    this.#expect(queryReplies(decider.translation(sent), undo), situation);
    return undefined;
  }

  #forward(message: Message, situation: Situation): undefined {
    const { undo } = situation;
    this.#options.server.forward(message);
    this.#expect(undo && { receive: () => 'forward', skipped: undo }, situation);
  }

  #expect(handler: ReplyHandler | undefined, { inBlock, undo }: Situation): void {
    const { replies, unanswered, unitEnd } = this.#options;
    if (handler && undo) unanswered.expect('Query', handler);
    else replies.expect('Query', handler);
    unitEnd.end(inBlock);
  }
}
