/** Runs the commands. */
import { type Flags, readConfig } from '../config/load.js';
import { ConfigError } from '../config/problems.js';
import { createLogger } from '../observe/log.js';
import { version } from '../observe/version.js';
import { openFileLimit, requireFiles } from '../open-files.js';
import { type Invocation, parseArguments } from './arguments.js';
import { runDoctor } from './doctor.js';
import { HELP } from './help.js';
import { runInstall } from './install.js';
import type { Io } from './io.js';
import { checkNamedFiles } from './named-files.js';
import { serve } from './serve.js';

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
    case 'doctor':
    case 'install':
    case 'uninstall':
      return configured(invocation, io);
    case 'script':
      return (await import('./script.js')).runScript(invocation, io);
    default:
      return invocation satisfies never;
  }
}

async function configured(
  invocation: Extract<Invocation, { readonly flags: Flags }>,
  io: Io,
): Promise<number> {
  try {
    const input = { flags: invocation.flags, env: io.env, cwd: io.cwd };
    const { config, sources, ...first } = readConfig(input);
    let hadKeys = first.hasKeys;
    const readAgain = () => {
      const read = readConfig({ ...input, hadKeys });
      hadKeys = read.hasKeys;
      return read.config;
    };
    switch (invocation.command) {
      case 'serve':
        requireFiles(openFileLimit());
        return await serve(config, createLogger(config.log, io.stderr), io, readAgain);
      case 'check-config':
        for (const warning of await checkNamedFiles(config)) io.stderr.write(`warning: ${warning}\n`);
        io.stdout.write(`configuration ok: ${sources.length > 0 ? sources.join(', ') : 'defaults only'}\n`);
        return 0;
      case 'doctor':
        return await runDoctor(config, invocation.format, io);
      case 'install':
      case 'uninstall':
        return await runInstall(invocation.command, config.graph.url, io.stdout, io.stderr);
      default:
        return invocation satisfies never;
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
}
