/** Ends a statement by an error: no page follows. */
import { FAIL_REFUSED } from '../../../render/violations.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { SCRATCH } from '../../server/own-statements.js';
import type { PagedParts } from './paged-statement.js';

/** Why a WHERE cannot be evaluated again for each page. */
export const REPEATED_WHERE =
  'a WHERE that calls something volatile, or a function of your own that is not immutable, or reads a view; or looks at more than the primary key, which a trigger may change; or a trigger that may add rows to the table or change its key; or a table whose rows the role may not lock';

/**
 * @param error the client gets it in the place of its message, and the server is made to skip what it would skip
 * @returns a promise that is fulfilled when the client has it
 */
export function failInPlace(
  error: Buffer,
  of: 'Query' | 'Execute',
  { replies, server }: Pick<PagedParts, 'replies' | 'server'>,
): Promise<void> {
  return new Promise((resolve) => {
    if (of === 'Query') {
      server.write(write.sync());
      const receive = (message: Message) => {
        resolve();
        return Buffer.concat([error, whole(message)]);
      };
      replies.expect('Sync', { receive, skipped: resolve });
    } else {
      server.write(
        Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, FAIL_REFUSED), write.flush()]),
      );
      replies.expect('Close', { receive: () => 'swallow', skipped: resolve });
      const receive = () => {
        resolve();
        return error;
      };
      replies.expect('Parse', { receive, skipped: resolve });
    }
    server.flush();
  });
}
