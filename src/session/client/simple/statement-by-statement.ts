/**
 * Sends the statements of one string one after the other: a DELETE that depends on a statement before it (SET, DDL, the end of a
 * transaction) can only be expanded when that one has been executed.
 *
 * They go out as a pipeline under one Sync, which is one implicit transaction, as the string would be
 * (protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT), and are answered as a simple query is.
 */
import { Pace } from '../../../pace.js';
import { firstLocksOf, planOf, programOf } from '../../../rewrite/retries.js';
import { ONE_OF_SEVERAL } from '../../../rewrite/several.js';
import { shapeOf } from '../../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../../rewrite/text.js';
import type { Look } from '../../../sql/lexer/look.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend, TransactionStatus } from '../../../wire/types.js';
import { GuardedAnswers } from '../../answers/guarded-answers.js';
import { sealed, sentText } from '../../answers/markers.js';
import { descriptionReplies, executeReplies } from '../../answers/results.js';
import type { SessionCatalog } from '../../catalog/session-catalog.js';
import type { Decider } from '../../decide/decider.js';
import type { SeparateStatement } from '../../decide/decision.js';
import type { Executor } from '../../execute/executor.js';
import { guardedWithFollowUps, sendFollowUps } from '../../execute/follow-ups.js';
import { lockTables } from '../../execute/table-locks.js';
import type { InternalQueries } from '../../server/internal-query.js';
import type { Jit } from '../../server/jit.js';
import type { Output } from '../../server/output.js';
import type { OutstandingReplies, ReplyHandler, Verdict } from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import type { ServerState } from '../../server/server-state.js';

/** The name of each of these statements, and of its portal: neither the client nor the proxy's own questions use it. */
const OWN_NAME = `${SCRATCH}_p`;

/**
 * To the server a string of several statements is a transaction block from the first statement on, and again after COMMIT; a pipeline is
 * one from the second statement on. So this query goes first in the pipeline. It takes no snapshot, as SET TRANSACTION may come
 * after it, and waits for nothing, so that it may run under the client's timeouts.
 */
const BLOCK = 'SHOW transaction_isolation';

interface StatementByStatementOptions {
  readonly catalog: SessionCatalog;
  readonly decider: Decider;
  readonly executor: Executor;
  readonly jit: Jit;
  readonly queries: InternalQueries;
  readonly replies: OutstandingReplies;
  readonly server: Output;
  readonly state: ServerState;
}

export class StatementByStatement {
  readonly #options: StatementByStatementOptions;

  constructor(options: StatementByStatementOptions) {
    this.#options = options;
  }

  /** Sends the statements, and then a Sync, whose ReadyForQuery is that of the client's Query. */
  async send(statements: Iterable<SeparateStatement>): Promise<void> {
    const { catalog, executor, queries, jit, replies, decider, server, state } = this.#options;
    // A query drops the unnamed statement.
    server.write(write.close('S', ''));
    replies.expect('Close', { receive: unlessError });
    let inBlock = replies.awaitsReady || state.status !== TransactionStatus.Idle;
    let goesOn = true;
    const pace = new Pace();
    for (const { bytes, offset, unchanged } of statements) {
      await pace.next();
      const look = decider.look(bytes);
      const control = look.begins === 'control';
      if (!inBlock && !control) goesOn = (await queries.ask(BLOCK, 'extended')).kind === 'value';
      if (!goesOn) break;
      inBlock = !control;
      const source = { protocol: 'extended', inString: false, types: [], retries: false, offset } as const;
      const decision = decider.mayReplace(look) ? await decider.decide(look, source) : undefined;
      catalog.executing();
      catalog.invalidateBy(look);
      // After an error the server skips to the Sync, as it would skip the rest of the string.
      goesOn = decision?.kind !== 'failed' && decision?.kind !== 'skipped';
      if (!goesOn) continue;
      const rewrite = decision?.kind === 'rewrite' ? decision.rewrite : unchanged;
      if (firstLocksOf(rewrite.treatments).length > 0) await this.#lock(rewrite, offset);
      const program = programOf(rewrite.treatments);
      lockTables(rewrite, { server, replies });
      if (program?.kind === 'plain' || program?.kind === 'paged')
        executor.refuse(rewrite, program, ONE_OF_SEVERAL);
      else if (program?.kind === 'ordered')
        await executor.ordered(rewrite, program, { offset, describes: true });
      else this.#sendOne(rewrite, look, offset);
    }
    jit.endUnit();
    server.write(write.sync());
    replies.expect('Sync');
  }

  /** Where the server skips the locks, or the question whether they may be taken, it skips the statement too. */
  async #lock(rewrite: Rewrite, offset: number): Promise<void> {
    const { executor, jit } = this.#options;
    jit.off();
    const [locks] = firstLocksOf(rewrite.treatments);
    await executor.lock({
      rewrite,
      offset,
      lock: locks && { locks, types: [], bind: write.bind(REPEATED, SCRATCH) },
    });
  }

  #sendOne(unsent: Rewrite, look: Look, offset: number): void {
    const { jit, replies, decider, server } = this.#options;
    const rewrite = sealed(unsent);
    if (planOf(rewrite.treatments)) jit.off();
    else jit.on();
    const isSame = rewrite.sql === rewrite.text;
    const translation = { ...decider.translation(rewrite), offset };
    const handler = descriptionReplies(translation);
    server.write(
      Buffer.concat([
        // In a failed transaction the portal and the statement of this name are still those of the statement before.
        ...[write.close('P', OWN_NAME), write.close('S', OWN_NAME)],
        isSame ? write.parseBytes(OWN_NAME, look.text) : write.parse(OWN_NAME, sentText(rewrite)),
        ...[write.bind(OWN_NAME, OWN_NAME), write.describePortal(OWN_NAME), write.execute(OWN_NAME)],
      ]),
    );
    replies.expect('Close', { receive: unlessError });
    replies.expect('Close', { receive: unlessError });
    replies.expect('Parse', withoutAnswer(handler, Backend.ParseComplete));
    replies.expect('Bind', withoutAnswer(handler, Backend.BindComplete));
    const described = withoutAnswer(handler, Backend.NoData);
    const guarded = guardedWithFollowUps(translation);
    if (guarded) {
      const answers = new GuardedAnswers();
      replies.expect('Describe', heldIn(answers, described));
      sendFollowUps(guarded, translation, this.#options, answers);
    } else {
      const executed = executeReplies(translation);
      const [first, second] = changesRows(look, rewrite)
        ? together(described, executed)
        : [described, executed];
      replies.expect('Describe', first);
      replies.expect('Execute', second);
    }
    // As long as the portal is open its tables are in use, and the server would refuse DDL on them.
    server.write(write.close('P', OWN_NAME));
    replies.expect('Close', { receive: unlessError });
  }
}

/** Whether a statement changes rows: the server executes such a one before it describes its result (pquery.c, PORTAL_ONE_RETURNING). */
function changesRows({ begins }: Look, { treatments }: Rewrite): boolean {
  const expanded = treatments.some((part) => shapeOf(part)?.kind === 'rows');
  return expanded || begins === 'change';
}

/** The client gets the description with the first answer to the execution, and none where that is an error. */
function together(described: ReplyHandler, executed: ReplyHandler): readonly [ReplyHandler, ReplyHandler] {
  let held: Buffer = Buffer.alloc(0);
  return [
    {
      receive: (message) => {
        const verdict = described.receive(message);
        if (message.type !== Backend.RowDescription || verdict === 'swallow') return verdict;
        held = verdict === 'forward' ? whole(message) : verdict;
        return 'swallow';
      },
    },
    {
      ...executed,
      receive: (message) => {
        const verdict = executed.receive(message);
        if (held.length === 0 || message.type === Backend.ErrorResponse || verdict === 'swallow')
          return verdict;
        const bytes = Buffer.concat([held, verdict === 'forward' ? whole(message) : verdict]);
        held = Buffer.alloc(0);
        return bytes;
      },
    },
  ];
}

/** The client gets the description together with the answers that it describes. */
function heldIn(answers: GuardedAnswers, described: ReplyHandler): ReplyHandler {
  return {
    receive: (message) => {
      const verdict = described.receive(message);
      return message.type === Backend.ErrorResponse ? verdict : answers.hold(verdict, message);
    },
  };
}

function unlessError({ type }: Message): Verdict {
  return type === Backend.ErrorResponse ? 'forward' : 'swallow';
}

/** A handler that keeps back answers of a type, and the description of no rows: the answer to a simple query has neither. */
function withoutAnswer(handler: ReplyHandler, type: number): ReplyHandler {
  return {
    receive: (message) => {
      const verdict = handler.receive(message);
      const none = verdict instanceof Buffer && verdict[0] === type;
      return message.type === type || none ? 'swallow' : verdict;
    },
  };
}
