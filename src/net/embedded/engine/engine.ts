import { Worker } from 'node:worker_threads';

/** The engine has stopped, by a crash or by `stop`, and answers nothing more. */
export class EngineStopped extends Error {}

interface Waiter {
  resolve(reply: Uint8Array): void;
  reject(error: Error): void;
}

/**
 * PostgreSQL in WebAssembly, in a thread of its own: bytes of the protocol in, bytes out, one call at a time.
 *
 * Why a thread: a statement does not stop the proxy's event loop; a crash of PGlite ends the thread only; and its
 * stack can be as large as PostgreSQL expects. On Node's own stack an expression of 300 terms overflows before
 * max_stack_depth is reached, and takes the database with it.
 */
export class Engine {
  readonly #worker: Worker;
  #waiter: Waiter | undefined;
  #stopped = false;

  private constructor(worker: Worker, onStop: () => void) {
    this.#worker = worker;
    worker.on('message', (reply: Uint8Array) => this.#settle()?.resolve(reply));
    worker.on('error', () => {}); // out of memory; 'exit' follows
    worker.on('exit', () => {
      this.#stopped = true;
      this.#settle()?.reject(new EngineStopped('the embedded database crashed'));
      onStop();
    });
  }

  /**
   * @param onStop called once, when the engine stops for whatever reason
   * @throws EngineStopped when it does not come up
   */
  static async start(onStop: () => void): Promise<Engine> {
    const worker = new Worker(new URL('./engine-thread.js', import.meta.url), {
      resourceLimits: { stackSizeMb: 256 },
    });
    const engine = new Engine(worker, onStop);
    await engine.#reply(); // its 'ready'
    return engine;
  }

  /**
   * Runs whole frontend messages and gives whole backend messages. The caller has to await one call before it makes the
   * next.
   * @throws EngineStopped
   */
  async run(messages: Uint8Array): Promise<Buffer> {
    if (this.#stopped) throw new EngineStopped('the embedded database has stopped');
    const copy = Uint8Array.from(messages); // postMessage moves the memory to the other thread
    this.#worker.postMessage(copy, [copy.buffer]);
    const reply = await this.#reply();
    return Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  /** The thread keeps the process alive only while something is asked of it. */
  #reply(): Promise<Uint8Array> {
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  #settle(): Waiter | undefined {
    this.#worker.unref();
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }
}
