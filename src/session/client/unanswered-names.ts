/**
 * The messages that change what the names of prepared statements stand for, and are not answered yet: each Parse of a name that the
 * proxy knows, and each simple query that drops the unnamed statement.
 *
 * Within a unit of work a name counts as changed as soon as the message is sent: if the message fails, the server skips all later ones
 * up to the Sync. After the Sync the server skips nothing, so there the proxy has to know the answer first.
 */
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { OutstandingReplies, ReplyHandler } from '../server/outstanding-replies.js';

/** The answers after which it is known what the name stands for. */
const ANSWERED_BY: Readonly<Record<'Parse' | 'Query', ReadonlySet<number>>> = {
  Parse: new Set([Backend.ParseComplete, Backend.ErrorResponse]),
  Query: new Set([Backend.ReadyForQuery]),
};

export class UnansweredNames {
  readonly #replies: Pick<OutstandingReplies, 'expect'>;
  #count = 0;
  /** How many of them belong to units of work before the current one. */
  #ofEarlierUnits = 0;
  #waiting: (() => void)[] = [];

  constructor(replies: Pick<OutstandingReplies, 'expect'>) {
    this.#replies = replies;
  }

  /** Whether all those of earlier units are answered: only then is it certain what a name stands for. */
  get areKnown(): boolean {
    return this.#ofEarlierUnits === 0;
  }

  /** Fulfilled when all those of earlier units are answered, or skipped after an error. */
  answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** A message that changes a name was sent. @param handler decides what becomes of its answer */
  expect(to: 'Parse' | 'Query', handler: ReplyHandler): void {
    this.#count++;
    this.#replies.expect(to, {
      receive: (message: Message) => {
        const verdict = handler.receive(message);
        if (ANSWERED_BY[to].has(message.type)) this.#answer();
        return verdict;
      },
      notice: (message) => handler.notice?.(message) ?? 'forward',
      skipped: () => {
        handler.skipped?.();
        this.#answer();
      },
    });
  }

  /** A Sync or a simple query was sent: what comes next is executed even where something before it failed. */
  endUnit(): void {
    this.#ofEarlierUnits = this.#count;
  }

  /** Answers come in the order of the messages, so those of earlier units come first. */
  #answer(): void {
    this.#count--;
    if (this.areKnown) return;
    this.#ofEarlierUnits--;
    if (this.areKnown) for (const go of this.#waiting.splice(0)) go();
  }
}
