/**
 * The statements of one string, sent one after the other: where a DELETE depends on a statement before it (SET, DDL, the
 * end of a transaction), it can only be expanded when that one has been executed.
 *
 * They go out as a pipeline under one Sync, which is one implicit transaction as the string is one
 * (protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT), and are answered as a simple query is.
 */
import { isNoteworthy, sessionEffect } from '../sql/gate.js';
import { write } from '../wire/frontend.js';
import { Backend } from '../wire/types.js';
import { descriptionReplies, executeReplies } from './cascade-replies.js';
import type { FrontendOptions } from './frontend-options.js';
import type { ReplyHandler } from './replies.js';
import type { Rewrite } from './rewrite.js';
import type { Decision } from './rewriter.js';

/** Ends with a Sync, whose ReadyForQuery is that of the client's query. */
export async function sendInPieces(
  { pieces }: Decision & { kind: 'pieces' },
  options: FrontendOptions,
): Promise<void> {
  const { circumstances, refusesCode, replies, rewriter, server } = options;
  for (const { bytes, offset, unchanged } of pieces) {
    const source = { manner: 'pipeline', inString: false, types: [], retries: false } as const;
    const decision = isNoteworthy(bytes, refusesCode) ? await rewriter.decide(bytes, source) : undefined;
    circumstances.note(sessionEffect(bytes));
    // The server skips to the Sync, as it would skip the rest of the string.
    if (decision?.kind === 'failed' || decision?.kind === 'skipped') break;
    sendPiece(decision?.kind === 'rewrite' ? decision.rewrite : unchanged, bytes, offset, options);
  }
  server.write(write.sync());
  replies.expect('Sync');
}

function sendPiece(
  rewrite: Rewrite,
  bytes: Buffer,
  offset: number,
  { replies, rewriter, server }: FrontendOptions,
): void {
  const parse = rewrite.sql === rewrite.text ? write.parseBytes(bytes) : write.parse('', rewrite.sql);
  server.write(Buffer.concat([parse, write.bind('', ''), write.describePortal(''), write.execute('')]));
  const translation = { ...rewriter.translation(rewrite), offset };
  replies.expect('Parse', unseen(descriptionReplies(translation), Backend.ParseComplete));
  replies.expect('Bind', unseen(descriptionReplies(translation), Backend.BindComplete));
  replies.expect('Describe', unseen(descriptionReplies(translation), Backend.NoData));
  replies.expect('Execute', executeReplies(translation));
}

/** A simple query has no such answers; neither has it one for the description of no rows. */
function unseen(handler: ReplyHandler, type: number): ReplyHandler {
  return {
    receive: (message) => {
      const verdict = handler.receive(message);
      const none = verdict instanceof Buffer && verdict[0] === type;
      return message.type === type || none ? 'swallow' : verdict;
    },
  };
}
