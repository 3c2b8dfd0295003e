/**
 * Executes a statement by its sequence. The steps go out as a pipeline, in which they are one transaction, or part of the client's: an
 * error of one fails it as the client's own statement would have failed it, so that no savepoint is needed. The answers are
 * made here: those that the client's statement would have had.
 */
import type { OrderedProgram } from '../../../rewrite/statement/program.js';
import type { Rewrite } from '../../../rewrite/text.js';
import { whole, write } from '../../../wire/frontend.js';
import { Backend } from '../../../wire/types.js';
import { ownAnswer } from '../../answers/own-answer.js';
import type { Jit } from '../../server/jit.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import type { OrderedStatement, SequenceParts } from './ordered-statement.js';
import { SequenceRun } from './sequence-run.js';

export interface OrderedParts extends SequenceParts {
  readonly jit: Jit;
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
 * In the place of a Query. What it would have been answered with comes when its transaction is over, or goes on: with the
 * ReadyForQuery of a Sync.
 * @param skipped is called where the server skips all of it
 */
export async function executeQuery(statement: OrderedStatement, parts: OrderedParts): Promise<void> {
  const { jit, replies, server, decider } = parts;
  const translation = decider.translation(statement.rewrite);
  // A query drops the unnamed statement.
  server.write(write.close('S', ''));
  replies.expect('Close', {
    receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : 'swallow'),
  });
  jit.off();
  const run = new SequenceRun(statement, parts);
  const isDone = await run.run();
  jit.endUnit();
  let hasFailed = !isDone;
  await new Promise<void>((resolve) => {
    server.write(write.sync());
    replies.expect('Sync', {
      receive: (message) => {
        if (message.type === Backend.ErrorResponse) hasFailed = true;
        if (message.type !== Backend.ReadyForQuery) return 'forward';
        resolve();
        if (hasFailed) return 'forward';
        return Buffer.concat([ownAnswer(statement.cascade, run, translation), whole(message)]);
      },
      skipped: resolve,
    });
    server.flush();
  });
}

/**
 * In the place of an Execute, in the transaction of its pipeline.
 * @returns a promise that is fulfilled when the client's next message may be sent
 */
export async function executePortal(statement: OrderedStatement, parts: OrderedParts): Promise<void> {
  const { decider, jit } = parts;
  const translation = decider.translation(statement.rewrite);
  jit.off();
  const run = new SequenceRun(statement, parts);
  await run.run(() => ownAnswer(statement.cascade, run, translation));
}
