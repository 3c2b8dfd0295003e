/** The frame of a test that is a program: its options, --help, and the exit status. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
/** What `parseArgs` makes of such options. */
export type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/** The command was called in a way that it does not know: exit status 2. */
export class UsageError extends Error {}

export interface Command<T extends Options> {
  readonly help: string;
  /** Beside --help. */
  readonly options: T;
  /** @returns whether all was as it should be; @throws UsageError, or what went wrong */
  run(values: Values<T>): Promise<boolean>;
}

/** Runs this process as the command. Exit status: 0 all as it should be, 1 not, or it failed, 2 bad usage. */
export async function runCommand<T extends Options>({ help, options, run }: Command<T>): Promise<never> {
  try {
    if (process.argv.slice(2).includes('--help')) {
      process.stdout.write(help);
      return process.exit(0);
    }
    return process.exit((await run(parseArgs({ options }).values)) ? 0 : 1);
  } catch (error) {
    const isUsage = isBadUsage(error);
    console.error(isUsage ? `${error.message}\n\n${help}` : error);
    return process.exit(isUsage ? 2 : 1);
  }
}

/** Whether the arguments are to blame: by `parseArgs`, or by what reads a value. */
export function isBadUsage(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
}

/** Reads a number that is not below `least`. @throws UsageError */
export function atLeast(least: number, flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least))
    throw new UsageError(`${flag} takes a number from ${least} on, not "${text}"`);
  return value;
}

/** Reads one of the names. @throws UsageError */
export function oneOf<Name extends string>(names: readonly Name[], flag: string, text: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageError(`${flag} takes ${names.join(', ')}, not "${text}"`);
  return found;
}
