import type { z } from 'zod';
import { keysAt, leafPaths } from './json-schema.js';
import { quote } from './values/values.js';

/** The configuration cannot be used. The message has one problem a line, each with its place and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** One problem of the value at `path`. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

const EXPECTED: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a whole number',
  object: 'a mapping of keys',
  string: 'text',
};

/** The text of a problem for which the schema itself has no message. */
export function issueMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return 'is missing';
    return `${quote(issue.input)} is not ${EXPECTED[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'too_small') {
    return issue.origin === 'array'
      ? 'is an empty list'
      : `${quote(issue.input)} is less than ${issue.minimum}`;
  }
  if (issue.code === 'too_big') return `${quote(issue.input)} is more than ${issue.maximum}`;
  return undefined;
}

/** One problem an issue, and one for each key that is not known. */
export function issueProblems(issue: z.core.$ZodIssue): readonly Problem[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, text: issue.message }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], text: unknownKey(issue.path, key) }));
}

function unknownKey(path: readonly PropertyKey[], key: string): string {
  const siblings = keysAt(path);
  const near = nearest(key, siblings);
  if (near !== undefined) return `unknown key, did you mean ${keyPath([...path, near])}?`;
  const elsewhere = leafPaths().find((leaf) => leaf.at(-1) === key);
  if (elsewhere) return `unknown key, did you mean ${keyPath(elsewhere)}?`;
  return `unknown key; the keys here are ${siblings.join(', ')}`;
}

/** Gives the candidate that a mistyped word most likely means, or undefined where none is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}

/** Gives `cascade.overrides[0].match`. */
export function keyPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

/** Levenshtein's, with two swapped neighbours as one edit. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
