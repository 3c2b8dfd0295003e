/** Reads the command line. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Flags } from '../config/load.js';
import { nearest } from '../config/problems.js';
import { readScriptRequest, type ScriptFlags, type ScriptRequest } from './script-arguments.js';

const LATER_COMMANDS = ['graph', 'explain'];
const COMMANDS = ['serve', 'check-config', 'doctor', 'script', 'install', 'uninstall'] as const;
export type Command = (typeof COMMANDS)[number];
/** Those that connect to a database by themselves, which may be named after them. */
const CONNECTING: readonly Command[] = ['doctor', 'install', 'uninstall'];

const FORMATS = ['text', 'json'] as const;
/** How a report is printed. */
export type Format = (typeof FORMATS)[number];

/** Each is one of the Flags, and has a line in the help text (help.ts). */
export const OPTIONS = {
  config: { type: 'string', short: 'c' },
  listen: { type: 'string', multiple: true },
  upstream: { type: 'string' },
  profile: { type: 'string' },
  url: { type: 'string' },
  format: { type: 'string' },
  schema: { type: 'string' },
  dialect: { type: 'string' },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const satisfies Readonly<
  Record<
    keyof Flags | keyof ScriptFlags | 'help' | 'version',
    NonNullable<ParseArgsConfig['options']>[string]
  >
>;

/** What a command line asks for. */
export type Invocation =
  | { readonly command: 'help' | 'version' }
  | { readonly command: 'doctor'; readonly flags: Flags; readonly format: Format }
  | { readonly command: Exclude<Command, 'doctor' | 'script'>; readonly flags: Flags }
  | ({ readonly command: 'script' } & ScriptRequest)
  | { readonly command: 'refuse'; readonly message: string };

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
    const { help, version, format: wanted, schema, dialect, out, ...flags } = values;
    const [name = 'serve', ...rest] = positionals;
    const command = COMMANDS.find((known) => known === name);
    if (help || name === 'help') return { command: 'help' };
    if (version || name === 'version') return { command: 'version' };
    if (LATER_COMMANDS.includes(name)) return notYet(name);
    if (command === undefined)
      return refuse(
        `unknown command ${JSON.stringify(name)}${suggestion(name, [...COMMANDS, 'help', 'version'])}`,
      );
    if (command === 'script') {
      const asked = readScriptRequest({ schema, dialect, out, format: wanted }, flags, rest);
      return typeof asked === 'string' ? refuse(asked) : { command, ...asked };
    }
    const [other] = Object.entries({ schema, dialect, out }).filter(([, value]) => value !== undefined);
    if (other) return refuse(`--${other[0]} is for script`);
    const connects = CONNECTING.includes(command);
    const [url, extra] = connects && flags.url === undefined ? rest : [flags.url, ...rest];
    if (extra !== undefined) return refuse(`${command} takes no argument ${JSON.stringify(extra)}`);
    if (url !== undefined && !connects) return refuse(`--url is for ${CONNECTING.join(', ')}`);
    if (wanted !== undefined && command !== 'doctor') return refuse('--format is for doctor and script');
    const format = FORMATS.find((known) => known === (wanted ?? 'text'));
    if (format === undefined)
      return refuse(`--format is ${FORMATS.join(' or ')}, not ${JSON.stringify(wanted)}`);
    const named = url === undefined ? flags : { ...flags, url };
    return command === 'doctor' ? { command, flags: named, format } : { command, flags: named };
  } catch (error) {
    // The flags of a later command are not known, which is no reason to complain about the flags.
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

/** Words an unknown option: parseArgs itself would explain how to write an argument that begins with a dash. */
function unknownFlag(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return undefined;
  const [, flag = ''] = /'([^']*)'/.exec(message) ?? [];
  const flags = Object.keys(OPTIONS).map((name) => `--${name}`);
  return `unknown flag ${flag}${suggestion(flag, flags)}`;
}

function notYet(command: string): Invocation {
  return refuse(`${command} is not yet supported`);
}
