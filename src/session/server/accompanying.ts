/** A statement of the proxy's own in a pipeline that nobody waits for: it goes out with what is sent next. */
import { write } from '../../wire/frontend.js';
import { Backend } from '../../wire/types.js';
import { EXECUTED, executed, SCRATCH } from './internal-query.js';
import type { Output } from './output.js';
import type { ExpectedReplies } from './outstanding-replies.js';

/** An error is the client's: the answer to what it has sent itself, which the server then skips. */
export function accompany(sql: string, server: Output, replies: ExpectedReplies): void {
  // What is left behind would stand in pg_prepared_statements.
  server.write(Buffer.concat([...executed(sql), write.close('S', SCRATCH)]));
  for (const to of [...EXECUTED, 'Close'] as const)
    replies.expect(to, {
      receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : 'swallow'),
    });
}
