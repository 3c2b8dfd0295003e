#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { App } from './app.js';
import { runInstall } from './cli/install.js';
import { formatAddress } from './config/address.js';
import { type Flags, readConfig } from './config/load.js';
import { ConfigError, nearest } from './config/problems.js';
import type { Config } from './config/schema.js';
import { createLogger, type Logger, type LogOutput } from './observe/log.js';

const HELP = `pgcascade: a PostgreSQL proxy that emulates referential cascades

Usage: pgcascade [command] [flags]

Commands
  serve           run the proxy (the default)
  check-config    validate the configuration: exit 0, or 2 with what is wrong
  install [URL]   let a database tell of changes of its schema: graph.url, or URL of a superuser
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

const LATER_COMMANDS = ['graph', 'explain', 'doctor'];
const COMMANDS = ['serve', 'check-config', 'install', 'uninstall'] as const;
type Command = (typeof COMMANDS)[number];
const SIGNAL_CODES = { SIGTERM: 143, SIGINT: 130 } as const;
/** Without a listener these would end the process, or open a debugger (SIGUSR1). */
const IDLE_SIGNALS = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
const OPTIONS = {
  config: { type: 'string', short: 'c' },
  listen: { type: 'string', multiple: true },
  upstream: { type: 'string' },
  profile: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** What a command line asks for. */
export type Invocation =
  | { readonly command: 'help' | 'version' }
  | { readonly command: Command; readonly flags: Flags }
  | { readonly command: 'refuse'; readonly message: string };

/** What the program uses of its process, so that it can be run inside another. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: LogOutput;
  readonly process: { on(event: string, listener: (cause: unknown) => void): unknown };
  startApp(config: Config, log: Logger): Promise<App>;
}

/** Takes the arguments after the program's name. Never throws. */
export function parseArguments(argv: readonly string[]): Invocation {
  const [first] = argv;
  try {
    const { values, positionals } = parseArgs({
      // parseArgs knows one short form of an option.
      args: argv.map((argument) => (argument === '-V' ? '-v' : argument)),
      allowPositionals: true,
      options: OPTIONS,
    });
    const { help, version, ...flags } = values;
    const [name = 'serve', ...rest] = positionals;
    const command = COMMANDS.find((known) => known === name);
    const takesUrl = command === 'install' || command === 'uninstall';
    const [url, extra] = takesUrl ? rest : [undefined, ...rest];
    if (help || name === 'help') return { command: 'help' };
    if (version) return { command: 'version' };
    if (LATER_COMMANDS.includes(name)) return notYet(name);
    if (command === undefined)
      return refuse(`unknown command ${JSON.stringify(name)}${suggestion(name, [...COMMANDS, 'help'])}`);
    if (extra !== undefined) return refuse(`${command} takes no argument ${JSON.stringify(extra)}`);
    return { command, flags: url === undefined ? flags : { ...flags, url } };
  } catch (error) {
    // Commands to come have flags of their own.
    if (first !== undefined && LATER_COMMANDS.includes(first)) return notYet(first);
    return refuse(unknownFlag(error) ?? (error as Error).message);
  }
}

function refuse(message: string): Invocation {
  return { command: 'refuse', message };
}

function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** What parseArgs says of an unknown option explains how to write an argument that begins with a dash. */
function unknownFlag(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return undefined;
  const [, flag = ''] = /'([^']*)'/.exec(message) ?? [];
  const flags = Object.keys(OPTIONS).map((name) => `--${name}`);
  return `unknown flag ${flag}${suggestion(flag, flags)}`;
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
      // Before the start there is nothing to drain; the second signal is meant.
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
      // Where the reader of the log is gone, saying so fails as well.
      if (!crashed) log.fatal({ err }, 'a defect in pgcascade: please report it');
      crashed = true;
      exit(1);
    };
    // From the start on: as process 1 of a container, a signal without a handler is ignored.
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
        // Without a code it is not the system's refusal: then the stack is of use.
        const { code } = Object(error) as NodeJS.ErrnoException;
        log.error(code === undefined ? { err: error } : {}, startFailure(error, config));
        exit(1);
      },
    );
  });
}

/** Gives in plain words why the start failed and what to do. */
export function startFailure(error: unknown, config: Config): string {
  const { code, address, path, port, message } = Object(error) as Partial<NodeJS.ErrnoException> & {
    readonly address?: string;
    readonly port?: number;
  };
  // A socket's path comes with port -1.
  const at = address && port && port > 0 ? formatAddress({ host: address, port }) : address;
  const key = at === config.admin.listen ? 'admin.listen (PGCASCADE_ADMIN_LISTEN)' : 'listen (--listen)';
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${at}: another program does. End it, or choose another address with ${key}`;
    case 'EACCES':
      return `cannot listen on ${at}: not permitted. Choose a port above 1023, or a directory that exists and can be written, with ${key}`;
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${at}: this machine does not have the address. Choose another with ${key}`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `cannot listen in ${path}: it is not a directory. Choose another place with listen (--listen)`;
    default:
      return `cannot start: ${message ?? String(error)}`;
  }
}

function version(): string {
  // The same place from src and from dist.
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

function notYet(command: string): Invocation {
  return refuse(`${command} is not yet supported`);
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
  // Whoever read the output may be gone, as `| head` is: the service goes on without.
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
