/** Statements of the proxy's own in a pipeline: the names that they go by, and the messages that execute them. */
import { write } from '../../wire/frontend.js';
import { Backend } from '../../wire/types.js';
import type { Output } from './output.js';
import type { AnsweredMessage, OutstandingReplies } from './outstanding-replies.js';

/** The name of a statement and of a portal: the client's unnamed ones must outlive what the proxy sends. */
export const SCRATCH = `pgcascade_${Math.random().toString(36).slice(2, 10)}`;

/** The statement of a portal that is bound again after the client has given the name of the portal's statement to another one. */
export const REBOUND = `${SCRATCH}_s`;

/** The portal of a statement that the proxy repeats: where its execution is refused it stays until the transaction is rolled back. */
export const REPEATED = `${SCRATCH}_r`;

/** Frontend messages, and which of them the server answers, in order. */
export interface OwnMessages {
  readonly messages: readonly Buffer[];
  readonly answered: readonly AnsweredMessage[];
}

/** @returns what executes these statements one after the other, and leaves none of them in pg_prepared_statements */
export function executionOf(statements: readonly string[]): OwnMessages {
  return {
    messages: [
      ...statements.flatMap((sql) => [
        write.close('S', SCRATCH),
        write.parse(SCRATCH, sql),
        write.bind(SCRATCH, SCRATCH),
        write.execute(SCRATCH),
        write.close('P', SCRATCH),
      ]),
      write.close('S', SCRATCH),
    ],
    answered: [
      ...statements.flatMap((): AnsweredMessage[] => ['Close', 'Parse', 'Bind', 'Execute', 'Close']),
      'Close',
    ],
  };
}

/**
 * Sends a statement without waiting for its answer: it goes out with what is sent next. The client gets its error as the answer to its own
 * next message, which the server then skips.
 */
export function accompany(sql: string, server: Output, replies: OutstandingReplies): void {
  const { messages, answered } = executionOf([sql]);
  server.write(Buffer.concat(messages));
  for (const to of answered)
    replies.expect(to, {
      receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : 'swallow'),
    });
}
