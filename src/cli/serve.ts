/** The command `serve`. */
import type { App } from '../app.js';
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';
import type { Logger } from '../observe/log.js';
import type { Io } from './io.js';
import { startFailure } from './start-failure.js';

/**
 * Runs the proxy until a signal or a failure ends it, and gives the exit code.
 * @throws ConfigError where a file that the configuration names cannot be used
 */
export function serve(config: Config, log: Logger, io: Io): Promise<number> {
  return new Promise((exit, fail) => {
    let app: App | undefined;
    let ending: number | undefined;

    const end = (code: number) => {
      // Before the start is over there is nothing to drain, and a second signal asks for the end at once.
      if (!app || ending !== undefined) return exit(ending ?? code);
      ending = code;
      log.info('draining: open sessions may end, new ones are refused; a second signal ends all at once');
      app.drain().then(
        () => exit(code),
        (err: unknown) => {
          log.error({ err }, 'draining failed');
          exit(1);
        },
      );
    };
    let crashed = false;
    const crash = (err: unknown) => {
      // Where the reader of the log is gone, the write of this line fails too and calls `crash` again.
      if (!crashed) log.fatal({ err }, 'a defect in pgcascade: please report it');
      crashed = true;
      exit(1);
    };
    io.signals.listen((signal) => {
      if (signal.kind === 'end') end(signal.code);
      else log.info(`${signal.name} changes nothing: the configuration is read at the start`);
    });
    io.process.on('uncaughtException', crash);
    io.process.on('unhandledRejection', crash);

    io.startApp(config, log).then(
      (started) => {
        app = started;
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
