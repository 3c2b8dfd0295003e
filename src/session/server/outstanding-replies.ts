/**
 * The heart of a session: what the server still has to answer, in order.
 *
 * Every frontend message that is answered adds one expectation; the backend's messages belong to the first one until its answer ends.
 * An answer that is forwarded as it is has no handler. A handler swallows, replaces or reads the answer: those to what the proxy
 * has sent itself never reach the client.
 *
 * After an error in the extended protocol the server skips to the next Sync, and so does the queue
 * (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY). Every handler is told its end: by the last message of its answer, or
 * by `skipped`.
 */
import { saysFatal } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';

/**
 * With so many messages unanswered the session takes no more: what it remembers of each would else be bounded only by what the
 * operating system buffers. (A server keeps back 8 KiB of answers at most until a Sync or Flush, and none has less than five bytes.)
 */
const MOST_OUTSTANDING = 256 * 1024;

/** The frontend messages that are answered; `Flush` only where it is malformed, by an error. `CountedSync` is one of the proxy's own: see copy-in.ts. */
export type AnsweredMessage =
  | 'Query'
  | 'FunctionCall'
  | 'Sync'
  | 'Parse'
  | 'Bind'
  | 'Describe'
  | 'Execute'
  | 'Close'
  | 'Flush'
  | 'CountedSync';

/** What becomes of a backend message: as it is, nothing, or these bytes in its place. */
export type Verdict = 'forward' | 'swallow' | Buffer;

export interface ReplyHandler {
  receive(message: Message): Verdict;
  /** A NoticeResponse came before the answer, or within it; without this method it is forwarded. */
  notice?(message: Message): Verdict;
  /**
   * There will be no answer, or no end of it: the server skipped the message because of an earlier error, or the session
   * is over. Called last sent first.
   */
  skipped?(): void;
}

/** Sees every answer after its handler. @returns what becomes of it where that is not as the handler says */
export type ReplyWatcher = (to: AnsweredMessage, message: Message) => Verdict | undefined;

interface Expectation {
  readonly to: AnsweredMessage;
  readonly handler: ReplyHandler | undefined;
}

export class OutstandingReplies {
  #queue: Expectation[] = [];
  #first = 0;
  /** How many of those in the queue ReadyForQuery ends. */
  #readies = 0;
  #skipping = false;
  /** An error of the proxy's own has taken the place of the server's: PostgreSQL says nothing more up to ReadyForQuery. */
  #isRefused = false;
  #ended = false;
  #watcher: ReplyWatcher | undefined;

  /** @param watcher is told of every answer from now on */
  watch(watcher: ReplyWatcher): void {
    this.#watcher = watcher;
  }

  /** A frontend message was sent to the server. */
  expect(to: AnsweredMessage, handler?: ReplyHandler): void {
    const endsSkipping = to === 'Sync' || to === 'CountedSync';
    if (this.#ended || (this.#skipping && !endsSkipping)) {
      handler?.skipped?.();
      return;
    }
    this.#skipping = false;
    this.#queue.push({ to, handler });
    if (endsWhenReady({ to })) this.#readies++;
  }

  /** Whether the session is over. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether everything sent has been answered. */
  get settled(): boolean {
    return this.answered && !this.#skipping;
  }

  /** Whether the server has said all that it will say to what was sent; it may be skipping to a Sync. */
  get answered(): boolean {
    return this.#first === this.#queue.length;
  }

  /** Whether so many messages are unanswered that no more may be sent. */
  get isFull(): boolean {
    return this.#queue.length - this.#first >= MOST_OUTSTANDING;
  }

  /** Whether a ReadyForQuery is still to come: till then the transaction's status is not known. */
  get awaitsReady(): boolean {
    return this.#skipping || this.#readies > 0;
  }

  /** Whether what comes next is forwarded without being read. */
  get transparent(): boolean {
    return this.#queue[this.#first]?.handler === undefined;
  }

  /** A backend message came that is an answer. @returns what becomes of it */
  receive(message: Message): Verdict {
    if (message.type === Backend.ReadyForQuery) this.#dropUpToReady();
    // H2 does not skip: it answers each message after one that it has refused by an error of its own.
    else if (this.#isRefused && message.type === Backend.ErrorResponse && !saysFatal(message))
      return 'swallow';
    const expectation = this.#queue[this.#first];
    if (expectation === undefined) return 'forward';
    const verdict = expectation.handler?.receive(message) ?? 'forward';
    if (message.last) this.#advance(expectation.to, message.type);
    if (message.type === Backend.ErrorResponse && !endsWhenReady(expectation))
      this.#isRefused = verdict instanceof Buffer;
    return this.#watcher?.(expectation.to, message) ?? verdict;
  }

  /** A NoticeResponse came. @returns what becomes of it */
  notice(message: Message): Verdict {
    return this.#queue[this.#first]?.handler?.notice?.(message) ?? 'forward';
  }

  /** The session is over: every handler is told that no answer will come, and so is each that is added from now on. */
  end(): void {
    this.#ended = true;
    this.#drop(this.#queue.length);
  }

  #advance(to: AnsweredMessage, type: number): void {
    switch (type) {
      case Backend.ReadyForQuery:
        if (to !== 'CountedSync') this.#drop(this.#first + 1, this.#first + 1);
        return;
      case Backend.ErrorResponse:
        if (!endsWhenReady({ to })) this.#skipToSync();
        return;
      default:
        if (LAST_MESSAGES[to]?.has(type)) this.#drop(this.#first + 1, this.#first + 1);
    }
  }

  /** ReadyForQuery ends everything that was sent before the message it answers: the server has no answer to it any more. */
  #dropUpToReady(): void {
    this.#skipping = false;
    this.#isRefused = false;
    const ready = this.#firstReady();
    if (ready >= 0) this.#drop(ready);
  }

  #skipToSync(): void {
    const failed = this.#first;
    let sync = failed + 1;
    while (sync < this.#queue.length && this.#queue[sync]?.to !== 'Sync') sync++;
    this.#skipping = sync === this.#queue.length;
    this.#drop(sync, failed + 1);
  }

  /** The first expectation that ReadyForQuery ends, or -1. */
  #firstReady(): number {
    for (let i = this.#first; i < this.#queue.length; i++) if (endsWhenReady(this.#queue[i])) return i;
    return -1;
  }

  /**
   * Forgets the expectations before the one at `to`.
   * @param untold those from here on are told that they will not be answered
   */
  #drop(to: number, untold = this.#first): void {
    if (to === this.#first) return;
    for (let i = this.#first; i < to; i++) if (endsWhenReady(this.#queue[i])) this.#readies--;
    const dropped = untold < to ? this.#queue.slice(untold, to) : undefined;
    this.#first = to;
    if (this.#first === this.#queue.length) {
      this.#queue = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    if (dropped) for (const { handler } of dropped.reverse()) handler?.skipped?.();
  }
}

/** Whether ReadyForQuery ends the answer, also after an error. */
function endsWhenReady(expected: Pick<Expectation, 'to'> | undefined): boolean {
  return expected !== undefined && READY.has(expected.to);
}

const READY: ReadonlySet<AnsweredMessage> = new Set(['Query', 'FunctionCall', 'Sync', 'CountedSync']);

/** The message that ends the answer, where it is not ReadyForQuery or an error. */
const LAST_MESSAGES: Readonly<Partial<Record<AnsweredMessage, ReadonlySet<number>>>> = {
  Parse: new Set([Backend.ParseComplete]),
  Bind: new Set([Backend.BindComplete]),
  Describe: new Set([Backend.RowDescription, Backend.NoData]),
  Execute: new Set([Backend.CommandComplete, Backend.EmptyQueryResponse, Backend.PortalSuspended]),
  Close: new Set([Backend.CloseComplete]),
  CountedSync: new Set([Backend.CloseComplete]),
};
