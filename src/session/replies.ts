/**
 * The heart of a session: what the server still has to answer, in order.
 *
 * Every frontend message that is answered puts one expectation in; the backend's messages belong to the first one
 * until it ends. What is forwarded as it is has no handler. A handler swallows, replaces or reads what comes: answers to
 * what the proxy injected never reach the client.
 *
 * After an error in the extended protocol the server skips to the next Sync, and so does the queue
 * (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
 */
import type { Message } from '../wire/reader.js';
import { Backend } from '../wire/types.js';

/** The frontend messages that are answered; `CopyEnd` (CopyDone, CopyFail) is not, but bounds what is ignored. */
export type Answered =
  | 'Query'
  | 'FunctionCall'
  | 'Sync'
  | 'Parse'
  | 'Bind'
  | 'Describe'
  | 'Execute'
  | 'Close'
  | 'CopyEnd';

/** What becomes of a backend message: as it is, nothing, or these bytes in its place. */
export type Verdict = 'forward' | 'swallow' | Buffer;

export interface ReplyHandler {
  receive(message: Message): Verdict;
  /** A NoticeResponse came before the answer; it is forwarded where nothing is said. */
  notice?(message: Message): Verdict;
  /** The server skipped the message because of an earlier error. Called last sent first. */
  skipped?(): void;
}

interface Expectation {
  readonly to: Answered;
  readonly handler: ReplyHandler | undefined;
}

export class ExpectedReplies {
  #queue: Expectation[] = [];
  #first = 0;
  #skipping = false;
  #copyIn = false;

  /** A frontend message was sent to the server. */
  expect(to: Answered, handler?: ReplyHandler): void {
    if (this.#skipping) {
      if (to !== 'Sync') {
        handler?.skipped?.();
        return;
      }
      this.#skipping = false;
    }
    if (this.#copyIn) {
      // While the server takes COPY data it ignores Sync (copyfromparse.c, CopyGetData).
      if (to === 'CopyEnd') this.#copyIn = false;
      return;
    }
    // Behind everything that was answered there is no COPY to end: the server ignores it.
    if (to === 'CopyEnd' && this.settled) return;
    this.#queue.push({ to, handler });
  }

  /** Whether everything sent has been answered. */
  get settled(): boolean {
    return this.#first === this.#queue.length && !this.#skipping && !this.#copyIn;
  }

  /** Whether a ReadyForQuery is still to come: till then the transaction's status is not known. */
  get awaitsReady(): boolean {
    const ends = (to: Answered) => to === 'Query' || to === 'Sync' || to === 'FunctionCall';
    return this.#queue.slice(this.#first).some(({ to }) => ends(to)) || this.#skipping;
  }

  /** Whether what comes next is forwarded without being read. */
  get transparent(): boolean {
    return this.#queue[this.#first]?.handler === undefined;
  }

  /** A backend message came that is an answer. @returns what becomes of it */
  receive(message: Message): Verdict {
    const expectation = this.#queue[this.#first];
    if (expectation === undefined) return 'forward';
    const verdict = expectation.handler?.receive(message) ?? 'forward';
    if (message.last) this.#advance(expectation.to, message.type);
    this.#dropCopyEnds();
    return verdict;
  }

  /** A NoticeResponse came. @returns what becomes of it */
  notice(message: Message): Verdict {
    return this.#queue[this.#first]?.handler?.notice?.(message) ?? 'forward';
  }

  #advance(to: Answered, type: number): void {
    switch (type) {
      case Backend.ReadyForQuery:
        this.#copyIn = false;
        this.#shift();
        return;
      case Backend.ErrorResponse:
        this.#copyIn = false;
        if (to !== 'Query' && to !== 'FunctionCall' && to !== 'Sync') this.#skipToSync();
        return;
      case Backend.CopyInResponse:
        this.#enterCopyIn();
        return;
      default:
        if (ENDS[to]?.has(type)) this.#shift();
    }
  }

  #shift(): void {
    this.#first++;
    if (this.#first === this.#queue.length) {
      this.#queue = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
  }

  #skipToSync(): void {
    const failed = this.#first;
    let sync = failed + 1;
    while (sync < this.#queue.length && this.#queue[sync]?.to !== 'Sync') sync++;
    for (let i = sync - 1; i > failed; i--) this.#queue[i]?.handler?.skipped?.();
    this.#skipping = sync === this.#queue.length;
    this.#first = sync - 1;
    this.#shift();
  }

  /** A Sync that was sent before the end of the COPY data is ignored by the server and never answered. */
  #enterCopyIn(): void {
    const end = this.#queue.findIndex((each, i) => i > this.#first && each.to === 'CopyEnd');
    this.#copyIn = end < 0;
    const upTo = end < 0 ? this.#queue.length : end + 1;
    this.#queue.splice(this.#first + 1, upTo - this.#first - 1);
  }

  /** The end of data that no COPY takes any more: the server ignores it. */
  #dropCopyEnds(): void {
    while (this.#queue[this.#first]?.to === 'CopyEnd') this.#shift();
  }
}

/** The message that ends the answer, where it is not ReadyForQuery or an error. */
const ENDS: Readonly<Partial<Record<Answered, ReadonlySet<number>>>> = {
  Parse: new Set([Backend.ParseComplete]),
  Bind: new Set([Backend.BindComplete]),
  Describe: new Set([Backend.RowDescription, Backend.NoData]),
  Execute: new Set([Backend.CommandComplete, Backend.EmptyQueryResponse, Backend.PortalSuspended]),
  Close: new Set([Backend.CloseComplete]),
};
