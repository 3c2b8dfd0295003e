/**
 * Executes a statement by its sequence. The steps go out as a pipeline, in which they are one transaction, or part of the client's: an
 * error of a step fails that transaction as the client's own statement would have failed it, so that no savepoint is needed. The
 * answers are made here: those that the client's statement would have had.
 */

import { MOST_ATTEMPTS } from '../../../rewrite/retries.js';
import type { OrderedProgram } from '../../../rewrite/statement/program.js';
import type { Rewrite } from '../../../rewrite/text.js';
import { whole, write } from '../../../wire/frontend.js';
import { Backend } from '../../../wire/types.js';
import type { LimitWatch } from '../../answers/limit-watch.js';
import type { News } from '../../answers/news.js';
import { ownAnswer } from '../../answers/own-answer.js';
import type { Jit } from '../../server/jit.js';
import type { Verdict } from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import type { TransactionState } from '../../server/transaction-state.js';
import type { OrderedStatement, SequenceParts } from './ordered-statement.js';
import { SequenceRun } from './sequence-run.js';

interface OrderedParts extends SequenceParts {
  readonly jit: Jit;
  readonly transaction: TransactionState;
}

/** @throws Error where the text is not one statement that is carried out by a sequence */
export function orderedStatement(
  rewrite: Rewrite,
  program: OrderedProgram,
  values: Partial<OrderedStatement> = {},
): OrderedStatement {
  const [cascade] = rewrite.treatments;
  if (cascade?.kind !== 'cascade') throw new Error('the text is not one expanded statement');
  const bind = program.sequence.returns ? NO_VALUES_AS_TEXT : NO_VALUES;
  return { rewrite, cascade, program, types: [], bind, offset: 0, describes: false, ...values };
}

const NO_VALUES = write.bindValues(REPEATED, SCRATCH, []);
const NO_VALUES_AS_TEXT = write.bind(REPEATED, SCRATCH);

/**
 * Executes the sequence in the place of a Query. The client gets the answer together with the ReadyForQuery of a Sync: then its transaction is over, or
 * goes on.
 * @param limit watches for a limit of the server's, where batches can take the place of the query. Where one was reached the client has no answer
 */
export async function executeQuery(
  statement: OrderedStatement,
  parts: OrderedParts,
  limit?: LimitWatch,
): Promise<void> {
  const { decider, jit, replies, server } = parts;
  const translation = decider.translation(statement.rewrite);
  const most = parts.transaction.isIdle ? MOST_ATTEMPTS : 1;
  // A query drops the unnamed statement.
  server.write(write.close('S', ''));
  replies.expect('Close', {
    receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : 'swallow'),
  });
  const { run, isDone } = await attempted(statement, { ...parts, limit }, most, () => jit.off());
  jit.endUnit();
  if (limit?.error) return;
  let hasFailed = !isDone;
  await new Promise<void>((resolve) => {
    server.write(write.sync());
    replies.expect('Sync', {
      receive: (message) => {
        if (message.type === Backend.ErrorResponse) {
          hasFailed = true;
          if (limit?.intercepts(message, statement.cascade, translation)) return 'swallow';
        }
        if (message.type !== Backend.ReadyForQuery) return 'forward';
        resolve();
        if (limit?.error) return 'swallow';
        if (hasFailed) return 'forward';
        return Buffer.concat([ownAnswer(statement.cascade, run, translation), whole(message)]);
      },
      skipped: resolve,
    });
    server.flush();
  });
}

/**
 * Executes the sequence in the place of an Execute, in the transaction of its pipeline.
 * @param limit as executeQuery has it
 * @returns a promise that is fulfilled when the client's next message may be sent
 */
export async function executePortal(
  statement: OrderedStatement,
  parts: OrderedParts,
  limit?: LimitWatch,
): Promise<void> {
  const { decider, jit, replies, server } = parts;
  const { again } = statement;
  const translation = decider.translation(statement.rewrite);
  const { tell } = translation;
  const told = limit ? { tell: (news: News) => limit.tellLater(() => tell(news)) } : translation;
  const begin = (attempt: number) => {
    if (again && attempt > 1) {
      // The client's portal ended with the transaction that has failed.
      server.write(again);
      replies.expect('Bind', {
        receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : 'swallow'),
      });
    }
    jit.off();
  };
  await attempted(statement, { ...parts, limit }, again ? MOST_ATTEMPTS : 1, begin, (run) =>
    ownAnswer(statement.cascade, run, told),
  );
}

/**
 * Runs the sequence, and again after each error that passes: a run that has failed is undone as a whole.
 * @param most how many runs there may be
 * @param begin is called before each attempt
 * @returns the last run, and whether all was done
 */
async function attempted(
  statement: OrderedStatement,
  parts: OrderedParts & { readonly limit: LimitWatch | undefined },
  most: number,
  begin: (attempt: number) => void,
  answer?: (run: SequenceRun) => Verdict,
): Promise<{ readonly run: SequenceRun; readonly isDone: boolean }> {
  const { jit, replies, server } = parts;
  for (let attempt = 1; ; attempt++) {
    begin(attempt);
    const run = new SequenceRun(statement, parts, attempt >= most);
    const isDone = await run.run(answer && (() => answer(run)));
    const isOver = parts.limit?.error !== undefined;
    if ((!run.hasPassed && !isOver) || replies.ended) return { run, isDone };
    // This Sync commits nothing: the transaction has failed. It has undone the setting of JIT, too.
    server.write(write.sync());
    replies.expect('Sync', { receive: () => 'swallow' });
    jit.lost();
    if (isOver) return { run, isDone };
    parts.events.retried('othersConflict');
  }
}
