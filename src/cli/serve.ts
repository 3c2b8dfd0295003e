/** The command `serve`. */
import type { App } from '../app.js';
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';
import type { Logger } from '../observe/log.js';
import type { Io } from './io.js';
import { ServiceManager } from './service-manager.js';
import { startFailure } from './start-failure.js';

/**
 * Runs the proxy until a signal or a failure ends it, and gives the exit code.
 * @param read reads the configuration again
 * @throws ConfigError where a file that the configuration names cannot be used
 */
export function serve(config: Config, log: Logger, io: Io, read: () => Config): Promise<number> {
  return new Promise((exit, fail) => {
    const service = new Service(log, new ServiceManager(io.env, log), exit);
    let crashed = false;
    const crash = (err: unknown) => {
      // Where the reader of the log is gone, the write of this line fails too and calls `crash` again.
      if (!crashed) log.fatal({ err }, 'a defect in pgcascade: please report it');
      crashed = true;
      exit(1);
    };
    io.signals.listen((signal) => {
      if (signal.kind === 'end') service.end(signal.code);
      else if (signal.kind === 'reload') service.reload();
      else log.info(`${signal.name} changes nothing: SIGHUP has the configuration read again`);
    });
    io.process.on('uncaughtException', crash);
    io.process.on('unhandledRejection', crash);

    io.startApp(config, log, { read, quit: () => service.end(0) }).then(
      (started) => {
        service.started(started);
        io.stdout.write(`${started.banner()}\n`);
      },
      (error: unknown) => {
        if (error instanceof ConfigError) return fail(error);
        // An error without a code does not come from the system: then its stack helps to find the cause.
        const { code } = Object(error) as NodeJS.ErrnoException;
        log.error(code === undefined ? { err: error } : {}, startFailure(error, config));
        exit(1);
      },
    );
  });
}

/** The life of the proxy, as signals and requests steer it. */
class Service {
  readonly #log: Logger;
  readonly #manager: ServiceManager;
  readonly #exit: (code: number) => void;
  #app: App | undefined;
  #ending: number | undefined;
  /** Somebody has asked for that during the start. */
  #isToReload = false;

  constructor(log: Logger, manager: ServiceManager, exit: (code: number) => void) {
    this.#log = log;
    this.#manager = manager;
    this.#exit = exit;
  }

  started(app: App): void {
    this.#app = app;
    this.#manager.ready(serving(app));
    if (this.#isToReload) this.reload();
  }

  reload(): void {
    const app = this.#app;
    this.#isToReload = app === undefined;
    if (!app || this.#ending !== undefined) return;
    this.#manager.reloading();
    void app.reload().then(() => {
      if (this.#ending === undefined) this.#manager.ready(serving(app));
    });
  }

  end(code: number): void {
    // Before the start is over there is nothing to drain, and a second signal asks for the end at once.
    if (!this.#app || this.#ending !== undefined) {
      this.#exit(this.#ending ?? code);
      return;
    }
    this.#ending = code;
    this.#log.info('draining: open sessions may end, new ones are refused; a second signal ends all at once');
    const told = this.#manager.stopping('draining');
    Promise.all([this.#app.drain(), told]).then(
      () => this.#exit(code),
      (err: unknown) => {
        this.#log.error({ err }, 'draining failed');
        this.#exit(1);
      },
    );
  }
}

function serving({ addresses }: App): string {
  return `serving on ${addresses.join(', ')}`;
}
