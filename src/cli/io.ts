import type { App, StartOptions } from '../app.js';
import type { Config } from '../config/schema.js';
import type { Logger, LogOutput } from '../observe/log.js';
import type { Signals } from './signals.js';

/** What the program uses of its process. Tests run `main` inside of their own process and pass other streams. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: LogOutput;
  readonly signals: Signals;
  readonly process: { on(event: string, listener: (cause: unknown) => void): unknown };
  startApp(config: Config, log: Logger, options: StartOptions): Promise<App>;
}
