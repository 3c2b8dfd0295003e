/** Differences that docs/differences.md tells of, each recognised by what causes it. */
import { type BrokenRule, brokenRule } from './broken-rule.js';
import { brokenByOtherRow } from './other-row.js';
import { alike, type Run } from './run.js';
import { type Schema, setsColumns, setsValues, type Table, targetColumns } from './schema.js';
import { brokenBeside, mergesDeleted } from './writes/beside-delete.js';
import { brokenKeyByKey } from './writes/key-by-key.js';
import { leavesPartition } from './writes/left-partition.js';
import { brokenInOtherPart } from './writes/other-part.js';
import { returnsInOtherOrder } from './writes/row-order.js';
import type { WriteSpec } from './writes/write-spec.js';

/**
 * `other order`: several rules are broken, and a SET key changes rows of a table of which rows are deleted too. Natively a
 * changed row stands after the others of its table, and what references it comes later.
 * `not null`: of several rules one is about a column that takes no NULL, which here the server finds when it changes the row.
 * `set twice`: two SET DEFAULT keys change one row, and both set what does not exist. Where that row stands when the second key
 * looks for rows depends on the plan of the native query.
 * `taken away`: of several rules one is that a row is referenced by what a SET key takes from it. Where the server enforces that, it
 * says so when the statement ends.
 * `other row`: the same rule is broken by several rows, which a SET key of an earlier statement has put in another order.
 * `checked again`: natively a row that two SET keys change is checked by all of its keys, which the proxy does not do.
 * `other plan`: where no index decides in which order PostgreSQL finds rows, it does the same. It was asked (twins.ts).
 * `another rule`: what comes of a change of a referenced key is done after the statement, key by key, and natively row by row: of
 * several rules that are broken one is named that the proxy comes to earlier, and of several rows one that ON UPDATE changes once more.
 * `key of a partition`: of several keys that a new row breaks another one is named, as a partition has copies of its keys.
 * `other part`: of what two parts of a WITH break, the key of one is named, as keys are checked part by part.
 * `beside a delete`: of what a DELETE breaks and what is written beside it, the other one is named.
 * `left partition`: a row leaves a partition under an overridden key, and the server goes by its own ON DELETE.
 * `row order`: rows that several SET keys have changed are returned in another order by a later statement.
 * `part gone`: an error that undoes all natively leaves done what the batches before it have done.
 */
export type Known =
  | 'other order'
  | 'not null'
  | 'set twice'
  | 'taken away'
  | 'other row'
  | 'checked again'
  | 'other plan'
  | 'another rule'
  | 'key of a partition'
  | 'other part'
  | 'beside a delete'
  | 'left partition'
  | 'row order'
  | 'part gone';

/** @param at the step that was answered differently */
export function knownDifference(native: Run, proxied: Run, at: number, schema: Schema): Known | undefined {
  const [one, other] = [native, proxied].map(({ answers }) => brokenRule(answers[at] ?? [], schema));
  if (one === undefined) return undefined;
  const setting = (table: Table) =>
    schema.keys.filter(({ from, action }) => from.table === table && setsColumns(action));
  if (other !== undefined && alike(native.left, proxied.left)) {
    const rules = [one, other];
    if (rules.some(({ code }) => code === NOT_NULL)) return 'not null';
    if (rules.some(({ key }) => key && reordered(schema).has(key.to.table))) return 'other order';
    if (setTwice(one, other)) return 'set twice';
    if (takenAway(one, schema) && one.key !== other.key) return 'taken away';
    if (one.key && brokenByOtherRow(native, proxied, at, one.key, schema)) return 'other row';
  }
  const { key, unreferenced } = one;
  const again = unreferenced && key !== undefined && !setsValues(key) && setting(key.from.table).length > 1;
  return again ? 'checked again' : undefined;
}

/** As knownDifference, of statements that write. */
export function knownOfWrites(
  native: Run,
  proxied: Run,
  at: number,
  schema: Schema,
  spec: WriteSpec,
): Known | undefined {
  const [one, other] = [native, proxied].map(({ answers }) => brokenRule(answers[at] ?? [], schema));
  if (other && leavesPartition(one, other, schema, spec)) return 'left partition';
  if (returnsInOtherOrder(native, proxied, at, schema, spec)) return 'row order';
  if (!other || !alike(native.left, proxied.left)) return undefined;
  if (one === undefined)
    return mergesDeleted(native.answers[at]?.[0], other, schema, spec) ? 'beside a delete' : undefined;
  if (breaksCopiedKeys(one, other)) return 'key of a partition';
  if (brokenBeside(one, other, schema, spec)) return 'beside a delete';
  return brokenInOtherPart(one, other, schema, spec) ? 'other part' : undefined;
}

/** Whether a new row of a table that is partitioned breaks two keys of it. */
function breaksCopiedKeys(one: BrokenRule, other: BrokenRule): boolean {
  if (!one.key || !other.key || one.key === other.key || !one.unreferenced || !other.unreferenced)
    return false;
  const { table } = one.key.from;
  return table === other.key.from.table && table.root.by !== undefined;
}

/** As knownDifference, of statements that set what keys reference. */
export function knownOfLeftKeys(
  native: Run,
  proxied: Run,
  at: number,
  schema: Schema,
  spec: WriteSpec,
): Known | undefined {
  const [one, other] = [native, proxied].map(({ answers }) => brokenRule(answers[at] ?? [], schema));
  if (!one || !other || !alike(native.left, proxied.left)) return undefined;
  return brokenKeyByKey(one, other, schema, spec) ? 'another rule' : undefined;
}

/** Whether two SET DEFAULT keys are broken by what they set, and some row has them both. */
function setTwice(one: BrokenRule, other: BrokenRule): boolean {
  const keys = [one, other].flatMap(({ key, unreferenced }) => (key && unreferenced ? [key] : []));
  const [first, second] = keys;
  if (!first || !second || first === second || first.from.table !== second.from.table) return false;
  const { keyColumns, rows } = first.from.table;
  const used = keyColumns.filter(({ name }) => keys.some(({ columns }) => columns.includes(name)));
  const both = rows.some(({ references }) => used.every((column) => references.get(column) !== 'NULL'));
  return both && keys.every(setsValues);
}

/** Whether the key is broken from its referenced side, and a SET key changes a column there by which it references. */
function takenAway({ key, unreferenced }: BrokenRule, { keys }: Schema): boolean {
  if (key === undefined || unreferenced) return false;
  const referenced = targetColumns(key.to.table, key.target).map(({ name }) => name);
  return keys.some(
    ({ action, columns, from }) =>
      from.table === key.to.table &&
      setsColumns(action) &&
      columns.some((column) => referenced.includes(column)),
  );
}

/** The tables whose rows may natively be deleted in another order than here. */
function reordered({ tables, keys }: Schema): ReadonlySet<Table> {
  const actions = (table: Table) =>
    keys.filter(({ from }) => from.table === table).map(({ action }) => action);
  const moved = new Set(
    tables.filter((table) => actions(table).includes('CASCADE') && actions(table).some(setsColumns)),
  );
  // With them goes the order of what they take along; a set grows while it is gone through.
  for (const table of moved)
    for (const { action, from, to } of keys)
      if (action === 'CASCADE' && to.table === table) moved.add(from.table);
  return moved;
}

const NOT_NULL = '23502';
