/** The command was called in a way it does not know: exit status 2. */
export class UsageError extends Error {}

/** Reads a number that is not below `least`. @throws UsageError */
export function atLeast(least: number, flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least)) {
    throw new UsageError(`${flag} takes a number from ${least} on, not "${text}"`);
  }
  return value;
}

/** Reads one of the names. @throws UsageError */
export function oneOf<Name extends string>(names: readonly Name[], flag: string, text: string): Name {
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageError(`${flag} takes ${names.join(', ')}, not "${text}"`);
  return found;
}
