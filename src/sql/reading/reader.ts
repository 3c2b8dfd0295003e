/**
 * Reads texts in a thread of its own, one after the other, so that a long one holds up nobody else: to parse it takes
 * long, and a text may be too much for the parser's memory. What comes back is what the text means, not its syntax tree.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ProxyError } from '../../errors.js';
import type { Statement } from '../statement/statement.js';
import type { MORE, READY, ReadingReply, ReadingRequest } from './reading-thread.js';

/** In MiB, as the parser recurses. */
const STACK = 16;
/** In UTF-16 units. WebAssembly gives no memory back: after a longer text the thread ends. */
const TO_KEEP = 1024 * 1024;

/** Beside the thread's own module: TypeScript where this is, as in tests. */
const THREAD = new URL(`./reading-thread${extname(import.meta.url)}`, import.meta.url);

/** Is told why a thread has ended that nobody ended: a name, which quotes nothing of the text. */
export type OnCrash = (name: string) => void;

interface Waiter {
  resolve(reply: ReadingReply): void;
  reject(error: ProxyError): void;
}

export class Reader {
  readonly #memory: number;
  readonly #onCrash: OnCrash;
  readonly #time: number;
  #thread: Worker | undefined;
  /** Resolved when the thread takes texts, or has ended. */
  #ready: Promise<void> = Promise.resolve();
  #waiter: Waiter | undefined;
  #closed = false;

  /**
   * @param memory in MiB: a text that needs more ends the thread, and is refused
   * @param time in milliseconds: so is one that takes longer
   */
  constructor(memory: number, time: number, onCrash: OnCrash) {
    this.#memory = memory;
    this.#time = time;
    this.#onCrash = onCrash;
  }

  /**
   * The next call waits for this one's end: that is the caller's to see to.
   * @param encoding the client's, for errors
   * @returns undefined where the text is not what PostgreSQL's grammar knows
   * @throws ProxyError PGC_TOO_LARGE where it is more than the thread has room or time for, and what read-text.ts throws
   */
  async read(text: string, encoding: string): Promise<readonly Statement[] | undefined> {
    if (this.#closed) throw new ProxyError('PGC_SHUTDOWN');
    const thread = this.#thread ?? this.#start();
    await this.#ready;
    const timeout = setTimeout(() => void thread.terminate(), this.#time);
    timeout.unref();
    try {
      const statements: Statement[] = [];
      for (let next: ReadingRequest | typeof MORE = { text, encoding }; ; next = 'more') {
        const reply = await this.#ask(thread, next);
        if (reply.kind === 'unknown') return undefined;
        if (reply.kind === 'refused') throw new ProxyError(reply.error.errorName, reply.error.values);
        for (const statement of reply.statements) statements.push(statement);
        if (!reply.more) return statements;
        // Others come first.
        await new Promise(setImmediate);
      }
    } finally {
      clearTimeout(timeout);
      if (text.length > TO_KEEP) await this.#end();
    }
  }

  /** Whoever waits for an answer gets PGC_SHUTDOWN. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  /** It keeps no process alive. */
  #start(): Worker {
    const limits = { maxOldGenerationSizeMb: this.#memory, stackSizeMb: STACK };
    const thread = new Worker(THREAD, { resourceLimits: limits });
    thread.unref();
    this.#ready = new Promise((resolve) => {
      thread.once('message', () => resolve());
      thread.once('exit', () => resolve());
    });
    thread.on('message', (reply: ReadingReply | typeof READY) => {
      if (reply !== 'ready') this.#settle()?.resolve(reply);
    });
    // Out of memory, or of stack; 'exit' follows.
    thread.on('error', ({ code, name }: NodeJS.ErrnoException) => this.#onCrash(code ?? name));
    thread.on('exit', () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#settle()?.reject(this.#ended());
    });
    this.#thread = thread;
    return thread;
  }

  #ended(): ProxyError {
    return new ProxyError(this.#closed ? 'PGC_SHUTDOWN' : 'PGC_TOO_LARGE');
  }

  async #end(): Promise<void> {
    await this.#thread?.terminate();
  }

  #ask(thread: Worker, question: ReadingRequest | typeof MORE): Promise<ReadingReply> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      if (this.#thread === thread) thread.postMessage(question);
      else this.#settle()?.reject(this.#ended());
    });
  }

  #settle(): Waiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }
}
