/**
 * Sends the proxy's own statements as simple queries, each in a Query of its own, which may follow one another without waiting. Databases differ
 * in what they do with a pipeline without a Sync; after a Query each of them sends ReadyForQuery, and the outcome is known.
 */
import { type ErrorFields, readErrorFields, readTag, saysFatal } from '../../../wire/backend.js';
import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import { HeldAnswers } from '../../answers/held-answers.js';
import type { Output } from '../../server/output.js';
import type {
  AnsweredMessage,
  OutstandingReplies,
  ReplyHandler,
  Verdict,
} from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import type { PlainValues } from './plain-statement.js';

/** The outcome of a statement. `lost`: the session has ended, or the server skips messages up to a Sync. */
export type PlainReply =
  | { readonly kind: 'done'; readonly tag: string }
  | { readonly kind: 'failed'; readonly error: ErrorFields }
  | { readonly kind: 'lost' };

interface AnswerHandlers {
  /** Called with each message of the answer but its end and its errors. The message is valid only until the call returns. */
  readonly onAnswer?: (message: Message) => void;
  /** Called with the ReadyForQuery after a statement without an error. @returns what the client gets */
  readonly onReady?: (message: Message) => Verdict;
}

export class PlainSender {
  readonly #server: Output;
  readonly #replies: OutstandingReplies;
  readonly #notices: HeldAnswers;

  /** @param notices holds the notices of the server; the caller gives them to the client */
  constructor(server: Output, replies: OutstandingReplies, notices = new HeldAnswers(false)) {
    this.#server = server;
    this.#replies = replies;
    this.#notices = notices;
  }

  query(sql: string, handlers: AnswerHandlers = {}): Promise<PlainReply> {
    return this.#send([write.query(sql)], ['Query'], handlers);
  }

  /** Sends a statement with the values of the client's portal. Its Sync ends no transaction: the one that is open was begun by BEGIN. */
  withValues(sql: string, { types, bind }: PlainValues, handlers: AnswerHandlers): Promise<PlainReply> {
    return this.#send(
      [
        write.close('S', SCRATCH),
        write.parse(SCRATCH, sql, types),
        bind,
        write.describePortal(REPEATED),
        write.execute(REPEATED),
        write.close('P', REPEATED),
        write.close('S', SCRATCH),
        write.sync(),
      ],
      ['Close', 'Parse', 'Bind', 'Describe', 'Execute', 'Close', 'Close', 'Sync'],
      handlers,
    );
  }

  /** Waits for the answers to all that the client has sent. @returns false where the server skips to a Sync */
  settled(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#server.write(Buffer.concat([write.close('S', SCRATCH), write.flush()]));
      const end = (isSettled: boolean) => () => {
        resolve(isSettled);
        return 'swallow' as const;
      };
      this.#replies.expect('Close', { receive: end(true), skipped: end(false) });
      this.#server.flush();
    });
  }

  #send(
    messages: readonly Buffer[],
    answered: readonly AnsweredMessage[],
    { onAnswer, onReady }: AnswerHandlers,
  ): Promise<PlainReply> {
    return new Promise((resolve) => {
      let reply: PlainReply = { kind: 'done', tag: '' };
      const receive = (message: Message): Verdict => {
        switch (message.type) {
          case Backend.ErrorResponse:
            if (saysFatal(message)) return this.#notices.release('forward', message);
            if (reply.kind === 'done') reply = { kind: 'failed', error: readErrorFields(message) };
            return 'swallow';
          case Backend.ReadyForQuery:
            resolve(reply);
            return (reply.kind === 'done' && onReady?.(message)) || 'swallow';
          case Backend.CommandComplete:
            if (reply.kind === 'done') reply = { kind: 'done', tag: readTag(message) };
            return 'swallow';
          default:
            onAnswer?.(message);
            return 'swallow';
        }
      };
      this.#server.write(Buffer.concat(messages));
      const last = answered.length - 1;
      const lost = () => resolve({ kind: 'lost' });
      const handler: ReplyHandler = { receive, notice: (notice) => this.#notices.hold('forward', notice) };
      answered.forEach((to, i) => {
        this.#replies.expect(to, i === last ? { ...handler, skipped: lost } : handler);
      });
      this.#server.flush();
    });
  }
}
