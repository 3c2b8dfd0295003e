/** What an error of an integrity constraint says is broken. */
import type { Key, Schema } from './schema.js';

export interface BrokenRule {
  /** That of an integrity constraint violation. */
  readonly code: string;
  readonly key: Key | undefined;
  /** What the key references is not there. */
  readonly unreferenced: boolean;
  /** The table that the error names, with its schema: `a.t0`. */
  readonly table: string | undefined;
}

export function brokenRule(answers: readonly string[], { keys }: Schema): BrokenRule | undefined {
  const error = answers.find((answer) => answer.startsWith('E C=23'));
  if (error === undefined) return undefined;
  const name = / n=(.*) s=. t=/.exec(error)?.[1] ?? '';
  const [, schema, table] = / s=(\S+) t=(.*)$/.exec(error) ?? [];
  return {
    code: error.slice(4, 9),
    // A partition's copy of a key has a name of its own, made of the key's.
    key: keys.find((each) => each.name === name || name.replace(/_\d+$/, '') === each.name),
    unreferenced: error.includes(' M=insert or update on table '),
    table: table === undefined ? undefined : `${schema}.${table}`,
  };
}
