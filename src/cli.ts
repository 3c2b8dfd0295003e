#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { App } from './app.js';
import { type Command, parseArguments } from './cli/arguments.js';
import { runInstall } from './cli/install.js';
import { startFailure } from './cli/start-failure.js';
import { type Flags, readConfig } from './config/load.js';
import { ConfigError } from './config/problems.js';
import type { Config } from './config/schema.js';
import { createLogger, type Logger, type LogOutput } from './observe/log.js';

const HELP = `pgcascade: a PostgreSQL proxy that emulates referential cascades

Usage: pgcascade [command] [flags]

Commands
  serve           run the proxy (the default)
  check-config    validate the configuration: exit 0, or 2 with what is wrong
  install [URL]   make the event trigger that reports schema changes, in graph.url or URL (as superuser)
  uninstall [URL] remove what install made

Flags
  -c, --config FILE     a YAML file; else PGCASCADE_CONFIG, else ./pgcascade.yaml if there is one
  --listen ADDRESS      where clients connect, such as 127.0.0.1:6432; may be repeated
  --upstream URL        the database, such as postgres://db:5432; without one, an embedded sample
  --profile NAME        what the server can do: auto, postgres, postgres-like
  -h, --help            this text, as the command help
  -v, -V, --version     the version

Every key of the file is also an environment variable: graph.refresh is PGCASCADE_GRAPH_REFRESH.
Exit codes: 0 done; 1 failed while running; 2 bad usage or configuration; 143, 130 ended by a signal.
`;

const SIGNAL_CODES = { SIGTERM: 143, SIGINT: 130 } as const;
/** Without a listener these would end the process, or open a debugger (SIGUSR1). */
const IDLE_SIGNALS = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** What the program uses of its process. Tests run `main` inside of their own process and pass other streams. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: LogOutput;
  readonly process: { on(event: string, listener: (cause: unknown) => void): unknown };
  startApp(config: Config, log: Logger): Promise<App>;
}

/** Runs a command line and gives the exit code. `serve` runs until a signal or a failure ends it. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const invocation = parseArguments(argv);
  switch (invocation.command) {
    case 'help':
      io.stdout.write(HELP);
      return 0;
    case 'version':
      io.stdout.write(`pgcascade ${version()}\n`);
      return 0;
    case 'refuse':
      io.stderr.write(`pgcascade: ${invocation.message}\nSee pgcascade --help.\n`);
      return 2;
    case 'serve':
    case 'check-config':
    case 'install':
    case 'uninstall':
      return configured(invocation.command, invocation.flags, io);
    default:
      return invocation satisfies never;
  }
}

async function configured(command: Command, flags: Flags, io: Io): Promise<number> {
  try {
    const { config, sources } = readConfig({ flags, env: io.env, cwd: io.cwd });
    switch (command) {
      case 'serve':
        return await serve(config, createLogger(config.log, io.stderr), io);
      case 'check-config':
        io.stdout.write(`configuration ok: ${sources.length > 0 ? sources.join(', ') : 'defaults only'}\n`);
        return 0;
      case 'install':
      case 'uninstall':
        return await runInstall(command, config.graph.url, io.stdout, io.stderr);
      default:
        return command satisfies never;
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
}

function serve(config: Config, log: Logger, io: Io): Promise<number> {
  return new Promise((exit) => {
    let app: App | undefined;
    let ending: number | undefined;

    const end = (code: number) => {
      // Before the start is over there is nothing to drain, and a second signal asks for the end at once.
      if (!app || ending !== undefined) return exit(ending ?? code);
      ending = code;
      log.info('draining: sessions may end, new ones are refused; a second signal ends at once');
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
    // Set before the start: the kernel ignores a signal without a handler for process 1 of a container.
    for (const [signal, code] of Object.entries(SIGNAL_CODES)) io.process.on(signal, () => end(code));
    for (const signal of IDLE_SIGNALS)
      io.process.on(signal, () =>
        log.info(`${signal} changes nothing: the configuration is read at the start`),
      );
    io.process.on('uncaughtException', crash);
    io.process.on('unhandledRejection', crash);

    io.startApp(config, log).then(
      (started) => {
        app = started;
        io.stdout.write(`${started.banner()}\n`);
      },
      (error: unknown) => {
        // An error without a code does not come from the system: then its stack helps to find the cause.
        const { code } = Object(error) as NodeJS.ErrnoException;
        log.error(code === undefined ? { err: error } : {}, startFailure(error, config));
        exit(1);
      },
    );
  });
}

function version(): string {
  // The same place from src and from dist.
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

/** Whether this file is the program, also through the symbolic link that npm makes of a `bin`, or without its `.js`. */
function isProgram(): boolean {
  const [, script] = process.argv;
  if (script === undefined) return false;
  try {
    return createRequire(import.meta.url).resolve(script) === fileURLToPath(import.meta.url);
  } catch {
    return false;
  }
}

if (isProgram()) {
  const { env, stdout, stderr } = process;
  // The reader of the output may end before the service does (`| head`): the service goes on without a reader.
  for (const output of [stdout, stderr]) output.on('error', () => {});
  const code = await main(process.argv.slice(2), {
    env,
    cwd: process.cwd(),
    stdout,
    stderr,
    process,
    // Loaded late, so that --help and check-config do not wait for the parser and the embedded database.
    startApp: async (config, log) => (await import('./app.js')).startApp(config, log),
  });
  process.exit(code);
}
