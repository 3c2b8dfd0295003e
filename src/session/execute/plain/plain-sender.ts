/**
 * Sends statements of the proxy's own as simple queries, one by one or several in one go. So each is executed, whatever a database does with
 * a pipeline that has no Sync, and its outcome is known when ReadyForQuery has come.
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

/** What came of a statement. `lost`: the session is over, or the server skips to a Sync. */
export type PlainReply =
  | { readonly kind: 'done'; readonly tag: string }
  | { readonly kind: 'failed'; readonly error: ErrorFields }
  | { readonly kind: 'lost' };

interface Hearing {
  /** Is given what the server answers before the end; the message is valid only until it returns. */
  readonly hear?: (message: Message) => void;
  /** What the client gets when the statement was executed, at its ReadyForQuery. */
  readonly ready?: (message: Message) => Verdict;
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

  query(sql: string, hearing: Hearing = {}): Promise<PlainReply> {
    return this.#send([write.query(sql)], ['Query'], hearing);
  }

  /** The same with the values of the client's portal. The Sync ends no transaction: one that is open was begun by BEGIN. */
  withValues(sql: string, { types, bind }: PlainValues, hearing: Hearing): Promise<PlainReply> {
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
      hearing,
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
    { hear, ready }: Hearing,
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
            return (reply.kind === 'done' && ready?.(message)) || 'swallow';
          case Backend.CommandComplete:
            if (reply.kind === 'done') reply = { kind: 'done', tag: readTag(message) };
            return 'swallow';
          default:
            hear?.(message);
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
