/**
 * A portal of a statement that plain statements carry out. The server has a portal of the client's own DELETE, and is never sent a Describe of
 * that one: some servers execute a portal to find out what it returns.
 */
import type { PlainProgram } from '../../../rewrite/statement/program.js';
import { dropFields, NO_DATA } from '../../../wire/backend.js';
import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import type { PlainValues } from '../../execute/executor.js';
import type { AnsweredMessage, Verdict } from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import type { ServerSide } from '../forwarding.js';

/**
 * Answers a Describe of the portal. The rows of a RETURNING come from the SELECT that finds the client's rows, so the server describes that
 * SELECT, and the client gets its columns without the keys before them.
 */
export function describePlain(
  { sequence: { added, returns, roots } }: PlainProgram,
  { bind, types }: PlainValues,
  { replies, server }: ServerSide,
): undefined {
  if (!returns) {
    server.write(write.close('S', SCRATCH));
    replies.expect('Close', {
      receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : NO_DATA),
    });
    return;
  }
  const messages = [write.close('S', SCRATCH), write.parse(SCRATCH, roots.sql, types), bind];
  const ends = [write.describePortal(REPEATED), write.close('P', REPEATED), write.close('S', SCRATCH)];
  server.write(Buffer.concat([...messages, ...ends]));
  const receive = (message: Message): Verdict => {
    if (message.type === Backend.ErrorResponse) return 'forward';
    return message.type === Backend.RowDescription ? dropFields(message, added) : 'swallow';
  };
  const answered: readonly AnsweredMessage[] = ['Close', 'Parse', 'Bind', 'Describe', 'Close', 'Close'];
  for (const to of answered) replies.expect(to, { receive });
}
