/** Runs the commands. */
import { readAuthFiles } from '../auth/users/auth-files.js';
import { type Flags, readConfig } from '../config/load.js';
import { ConfigError } from '../config/problems.js';
import { createLogger } from '../observe/log.js';
import { version } from '../observe/version.js';
import { type Command, parseArguments } from './arguments.js';
import { runInstall } from './install.js';
import type { Io } from './io.js';
import { serve } from './serve.js';

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
  --profile NAME        auto, postgres or postgres-like: without effect, as the server itself is asked
  -h, --help            this text, as the command help
  -v, -V, --version     the version, as the command version

Every key of the file is also an environment variable: graph.refresh is PGCASCADE_GRAPH_REFRESH.
Exit codes: 0 done; 1 failed while running; 2 bad usage or configuration; 143, 130 ended by a signal.
`;

/** Runs a command line and gives the exit code. `serve` runs until a signal or a failure ends it. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const invocation = parseArguments(argv);
  if (invocation.command !== 'serve') io.signals.release();
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
        for (const warning of (await readAuthFiles(config.auth)).warnings)
          io.stderr.write(`warning: ${warning}\n`);
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
