/** Both sides' answers to one statement, and what to think of them. */
import type { Statement } from './case.js';
import { type Known, knownDifference, knownOfLeftKeys, knownOfWrites } from './known.js';
import { asSent } from './program.js';
import { alike, type Run } from './run.js';
import type { Schema } from './schema.js';
import { isWrite, setsReferenced, type WriteSpec } from './writes/write-spec.js';

export type Comparison =
  | { readonly kind: 'same'; readonly failed: boolean; readonly shown: readonly string[] }
  /** The proxy refused something, and did nothing: what came before was the same. */
  | { readonly kind: 'refused'; readonly name: string; readonly native: Run; readonly proxied: Run }
  | { readonly kind: 'known'; readonly known: Known; readonly native: Run; readonly proxied: Run }
  | { readonly kind: 'different'; readonly native: Run; readonly proxied: Run };

/**
 * @param start what the tables held before
 * @param shown what the statement shows where both sides agree
 */
export function compared(
  native: Run,
  proxied: Run,
  start: readonly string[],
  schema: Schema,
  spec: Statement,
  shown: readonly string[],
): Comparison {
  const at = native.answers.findIndex((answers, i) => !alike(answers, proxied.answers[i] ?? []));
  if (at < 0 && alike(native.left, proxied.left))
    return { kind: 'same', failed: native.answers.flat().some((answer) => answer.startsWith('E ')), shown };
  const { refused } = proxied;
  if (refused) {
    const untouched = proxied.answers.length > 1 || alike(proxied.left, start);
    if (at === refused.step && untouched) return { kind: 'refused', name: refused.name, native, proxied };
  } else if (at >= 0) {
    const known = knownBy(native, proxied, at, schema, spec);
    if (known) return { kind: 'known', known, native, proxied };
  }
  return { kind: 'different', native, proxied };
}

function knownBy(native: Run, proxied: Run, at: number, schema: Schema, given: Statement): Known | undefined {
  const spec = asSent(schema, given);
  return isWrite(spec)
    ? knownByWrite(native, proxied, at, schema, spec)
    : knownDifference(native, proxied, at, schema);
}

function knownByWrite(
  native: Run,
  proxied: Run,
  at: number,
  schema: Schema,
  spec: WriteSpec,
): Known | undefined {
  const leaves = setsReferenced(spec) && !/^(?:insert|default)/.test(spec.form);
  return (
    knownOfWrites(native, proxied, at, schema, spec) ??
    (leaves ? knownOfLeftKeys(native, proxied, at, schema, spec) : undefined) ??
    (spec.form.includes('delete') ? knownDifference(native, proxied, at, schema) : undefined)
  );
}
