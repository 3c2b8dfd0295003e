/** What a cascade in batches answers and leaves that one in a single transaction does not. */

import { compared } from './comparison.js';
import { quoted } from './names.js';
import { alike } from './run.js';
import type { Schema } from './schema.js';
import { targetColumns } from './schema.js';
import { qualified } from './schema-sql.js';

/** How far a cascade is: natively nobody tells. */
const PROGRESS = /^N .* M=cascade batch \d+: \d+ rows, \d+ so far /;
const GONE = '\\d+ rows are gone, in \\d+ transactions; the same statement again goes on from there\\.';
const GONE_ALONE = new RegExp(` H=${GONE}`);
const GONE_AFTER = new RegExp(` ${GONE}`);

/** Answers in words, without what batches tell of themselves. */
export function withoutBatches(answers: readonly string[]): string[] {
  return answers
    .filter((answer) => !PROGRESS.test(answer))
    .map((answer) => answer.replace(GONE_ALONE, '').replace(GONE_AFTER, ''));
}

/** The rows that reference by a key what is not there, with the names of their keys. */
export function orphansSql({ keys }: Schema): string {
  const each = keys.map(({ name, from, to, target, columns }) => {
    const [rows, referenced] = [from, to].map(
      (relation) => `${relation.by === undefined ? 'ONLY ' : ''}${qualified(relation)}`,
    );
    const own = columns.map((column) => `r.${quoted(column)}`);
    const same = targetColumns(to.table, target).map((column, i) => `p.${quoted(column.name)} = ${own[i]}`);
    const set = own.map((column) => `${column} IS NOT NULL`).join(' AND ');
    return `SELECT '${name.replaceAll("'", "''")}', r::text FROM ${rows} AS r WHERE ${set} AND NOT EXISTS (SELECT FROM ${referenced} AS p WHERE ${same.join(' AND ')})`;
  });
  return each.length === 0 ? 'SELECT WHERE false' : each.join('\nUNION ALL ');
}

/**
 * As compared. Where natively an error undoes all, a part may be gone in batches: no row references what is gone, and the error
 * is the same. What is refused after a batch has left a part too, and so has what is refused in a pipeline after a DELETE that was
 * done: that is over when its last batch is.
 */
export const comparedInBatches: typeof compared = (native, proxied, start, schema, spec, shown) => {
  const all = compared(native, proxied, start, schema, spec, shown);
  if (all.kind !== 'different' || proxied.orphans.length > 0) return all;
  const at = native.answers.findIndex((answers, i) => !alike(answers, proxied.answers[i] ?? []));
  const { refused } = proxied;
  const hasBegun =
    refused !== undefined &&
    (STOPS.has(refused.name) || (proxied.answers[at] ?? []).some((answer) => answer.startsWith('C DELETE')));
  if (refused && at === refused.step && hasBegun)
    return { kind: 'refused', name: refused.name, native, proxied };
  const failed = native.answers.flat().some((answer) => answer.startsWith('E '));
  return at < 0 && failed ? { kind: 'known', known: 'part gone', native, proxied } : all;
};

/** What stops a cascade after a batch. */
const STOPS: ReadonlySet<string> = new Set(['PGC_BATCH_KEPT', 'PGC_BATCH_CYCLE']);
