/**
 * The signals of the process. Without a listener SIGHUP and SIGUSR2 end a process, and SIGUSR1 opens a debugger; of
 * process 1 of a container the kernel ignores SIGTERM too. So there is one before anything else is loaded.
 */

/** Those that end the program, with the exit code of each. */
const ENDING = { SIGTERM: 143, SIGINT: 130 } as const;
/** The one that has the configuration read again. */
const RELOADING = 'SIGHUP';
const HARMLESS = ['SIGUSR1', 'SIGUSR2'] as const;

/** What a signal asks for. */
export type Signal =
  | { readonly kind: 'end'; readonly code: number }
  | { readonly kind: 'reload' }
  | { readonly kind: 'harmless'; readonly name: string };

/** What is used of the process. */
interface SignalSource {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

export class Signals {
  readonly #source: SignalSource;
  readonly #listeners: ReadonlyMap<string, () => void>;
  /** Those that end nothing, and came before anything could act on them. */
  readonly #early: Signal[] = [];
  #listener: ((signal: Signal) => void) | undefined;

  /**
   * Takes the signals from now on. Before `listen`, there is nothing to end in order.
   * @param exit ends the program with a code
   */
  constructor(source: SignalSource, exit: (code: number) => void) {
    this.#source = source;
    const take = (signal: Signal) => {
      if (this.#listener) this.#listener(signal);
      else if (signal.kind === 'end') exit(signal.code);
      else this.#early.push(signal);
    };
    this.#listeners = new Map([
      ...Object.entries(ENDING).map(([name, code]) => [name, () => take({ kind: 'end', code })] as const),
      [RELOADING, () => take({ kind: 'reload' })],
      ...HARMLESS.map((name) => [name, () => take({ kind: 'harmless', name })] as const),
    ]);
    for (const [name, listener] of this.#listeners) source.on(name, listener);
  }

  /** Hands over each signal from now on, after those that have come already and end nothing. */
  listen(listener: (signal: Signal) => void): void {
    this.#listener = listener;
    for (const signal of this.#early.splice(0)) listener(signal);
  }

  /** Leaves the signals to the system again, for commands that are not a service. */
  release(): void {
    for (const [name, listener] of this.#listeners) this.#source.off(name, listener);
  }
}
