/**
 * Sends the statements of a sequence in a pipeline: each is parsed, bound and executed under names of the proxy's own. There is no Sync
 * between them, so that they are one transaction.
 */
import { write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';
import type { Output } from '../../server/output.js';
import type {
  AnsweredMessage,
  OutstandingReplies,
  ReplyHandler,
  Verdict,
} from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';

export interface SentStep {
  /** The text, with its marker. */
  readonly sql: string;
  /** The types of its parameters, as far as they are known. */
  readonly types: readonly number[];
  /** The Bind of the statement SCRATCH to the portal REPEATED. */
  readonly bind: Buffer;
  /** Is given what the server answers; the message is valid only until it returns. */
  readonly hear?: (message: Message) => void;
  /** What the client gets in place of an error. */
  readonly translate: (error: Message) => Verdict;
}

const ANSWERED: readonly AnsweredMessage[] = ['Close', 'Parse', 'Bind', 'Describe', 'Execute', 'Close'];

export class StepSender {
  readonly #server: Output;
  readonly #replies: OutstandingReplies;
  readonly #notice: (message: Message) => Verdict;

  /** @param notice is given the notices of the server, and decides what the client gets of them now */
  constructor(
    server: Output,
    replies: OutstandingReplies,
    notice: (message: Message) => Verdict = () => 'forward',
  ) {
    this.#server = server;
    this.#replies = replies;
    this.#notice = notice;
  }

  /** Has the server parse and describe a text; the answer comes with that to the next steps. */
  describe({ sql, types, hear, translate }: Omit<SentStep, 'bind'>): void {
    this.#server.write(
      Buffer.concat([
        write.close('S', SCRATCH),
        write.parse(SCRATCH, sql, types),
        write.describeStatement(SCRATCH),
      ]),
    );
    const receive = (message: Message): Verdict => {
      if (message.type === Backend.ErrorResponse) return translate(message);
      hear?.(message);
      return 'swallow';
    };
    const handler: ReplyHandler = { receive, notice: this.#notice };
    for (const to of ['Close', 'Parse', 'Describe'] as const) this.#replies.expect(to, handler);
  }

  /**
   * Sends steps in one go.
   * @param answer gives what the client gets when all were executed
   * @returns whether all were executed; else the client has the error, and the server skips to the next Sync
   */
  send(steps: readonly SentStep[], answer: () => Verdict = () => 'swallow'): Promise<boolean> {
    return new Promise((resolve) => {
      let isLost = false;
      const skipped = () => {
        isLost = true;
        resolve(false);
      };
      for (const { sql, types, bind, hear, translate } of steps) {
        const handler: ReplyHandler = {
          receive: (message) => {
            if (message.type === Backend.ErrorResponse) {
              isLost = true;
              return translate(message);
            }
            hear?.(message);
            return 'swallow';
          },
          notice: this.#notice,
          skipped,
        };
        this.#server.write(
          Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, sql, types), bind]),
        );
        this.#server.write(
          Buffer.concat([
            write.describePortal(REPEATED),
            write.execute(REPEATED),
            write.close('P', REPEATED),
          ]),
        );
        for (const to of ANSWERED) this.#replies.expect(to, handler);
      }
      // What is parsed under the name is gone when the sequence has ended.
      this.#server.write(Buffer.concat([write.close('S', SCRATCH), write.flush()]));
      this.#replies.expect('Close', {
        receive: () => {
          resolve(!isLost);
          return isLost ? 'swallow' : answer();
        },
        skipped,
      });
      this.#server.flush();
    });
  }
}
