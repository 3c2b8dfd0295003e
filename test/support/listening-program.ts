import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { processorTimeOf } from './processor-time.js';
import { watched } from './unlogged.js';

export interface ProgramOptions {
  /** Arguments of Node's own. */
  readonly node?: readonly string[];
  /** Over the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it writes to standard error is written to that of this process too. */
  readonly showsLog?: boolean;
}

/** In milliseconds, without those in which it waits for a processor: on a machine with other work these tell nothing of a program. */
const PATIENCE = 30_000;
/** Between two looks. */
const PAUSE = 500;
/** Of characters: the end of a log is what tells. */
const KEPT_LOG = 16_000;

/** A program of Node's in a process of its own, which ends with this one. Its first words on standard output are that it listens. */
export class ListeningProgram {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #log = '';
  /** How much of the log has come since `newLog`. */
  #unseen = 0;

  private constructor(child: ChildProcess, showsLog: boolean) {
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once('close', resolve));
    child.on('error', (error) => this.#keep(error.message));
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    watched(child);
    if (showsLog) child.stderr?.on('data', (text: string) => process.stderr.write(text));
    process.once('exit', this.#kill);
  }

  /**
   * @param command the path of the program, and its arguments
   * @throws with what it has said, where it ends instead or is too slow; then it is gone
   */
  static async start(command: readonly string[], options: ProgramOptions = {}): Promise<ListeningProgram> {
    const child = spawn(process.execPath, [...(options.node ?? []), ...command], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const program = new ListeningProgram(child, options.showsLog ?? false);
    const started = new AbortController();
    const why = await Promise.race([
      new Promise<undefined>((resolve) => child.stdout?.once('data', () => resolve(undefined))),
      program.#closed.then(() => 'ended instead of listening'),
      program.#untilTooLate(started.signal),
    ]);
    started.abort();
    if (why === undefined) return program;
    await program.kill();
    throw new Error(`node ${command.join(' ')}: ${why}. It said:\n${program.log}`);
  }

  async #untilTooLate(started: AbortSignal): Promise<string> {
    const start = performance.now();
    const taken = () => performance.now() - start - (processorTimeOf(this.pid).waited || 0);
    while (!started.aborted && taken() < PATIENCE) await setTimeout(PAUSE, undefined, { ref: false });
    return 'does not listen in time';
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it has written. */
  get log(): string {
    return this.#log;
  }

  /** What it has written since this was asked last, as far as it is kept. */
  newLog(): string {
    const text = this.#log.slice(this.#log.length - this.#unseen);
    this.#unseen = 0;
    return text;
  }

  /** Sends a message to its `process.on('message')`. @returns the next that it sends; @throws where it ends before */
  ask(message: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`the program has ended:\n${this.#log}`));
      this.#child.once('close', ended).once('message', (answer) => {
        this.#child.off('close', ended);
        resolve(answer);
      });
      this.#child.send(message, (error) => error && reject(error));
    });
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#kill();
    await this.#closed;
    process.off('exit', this.#kill);
  }

  readonly #kill = () => void this.#child.kill('SIGKILL');

  #keep(text: string): void {
    this.#log = (this.#log + text).slice(-KEPT_LOG);
    this.#unseen = Math.min(this.#unseen + text.length, this.#log.length);
  }
}
