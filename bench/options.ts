import { parseArgs } from 'node:util';
import { atLeast, oneOf, UsageError } from '../test/support/command.js';

/** How the value of an option is read; undefined where it is not given. @throws UsageError */
export interface Option<Value> {
  readonly type: 'string' | 'boolean';
  read(flag: string, given: string | undefined): Value;
}

type Options = Readonly<Record<string, Option<unknown>>>;
/** The values of such options, by their names. */
export type ValuesOf<T extends Options> = { readonly [Name in keyof T]: ReturnType<T[Name]['read']> };

/** A number from `least` on. */
export function number(otherwise: number, least: number): Option<number> {
  const read: Option<number>['read'] = (flag, given) =>
    given === undefined ? otherwise : atLeast(least, flag, given);
  return { type: 'string', read };
}

/** Such numbers, with commas between. */
export function numbers(otherwise: readonly number[], least: number): Option<readonly number[]> {
  return {
    type: 'string',
    read: (flag, given) => given?.split(',').map((each) => atLeast(least, flag, each)) ?? otherwise,
  };
}

/** One of the names; the first where none is given. */
export function choice<Name extends string>(...names: readonly [Name, ...Name[]]): Option<Name> {
  return { type: 'string', read: (flag, given) => oneOf(names, flag, given ?? names[0]) };
}

/** An option without a value. */
export const SWITCH: Option<boolean> = { type: 'boolean', read: (_, given) => given !== undefined };

/** The server to measure with; undefined for one of the benchmark's own. */
export const UPSTREAM: Option<string | undefined> = {
  type: 'string',
  read(flag, given) {
    if (given !== undefined && !URL.canParse(given))
      throw new UsageError(`${flag} takes a URL such as postgres://postgres@127.0.0.1:5432`);
    return given;
  },
};

/** The goal of a benchmark, which is missed above this. */
export const AT_MOST = number(Number.POSITIVE_INFINITY, 0);

/** Reads the options of a benchmark. @throws UsageError, or as parseArgs */
export function readOptions<T extends Options>(args: string[], options: T): ValuesOf<T> {
  const known = Object.entries(options);
  const { values } = parseArgs({
    args,
    options: Object.fromEntries(known.map(([name, { type }]) => [name, { type }])),
  });
  const read = known.map(([name, option]) => {
    const given = values[name];
    return [name, option.read(`--${name}`, given === undefined ? undefined : String(given))];
  });
  return Object.fromEntries(read) as ValuesOf<T>;
}
