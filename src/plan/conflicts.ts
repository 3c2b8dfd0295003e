/**
 * The checks that are needed because a SET key changes a column that another key uses: what becomes of the row depends on
 * which of the two keys PostgreSQL fires first. Pure.
 */

import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { type Check, cascades, setsColumns } from './plan.js';

/** What is known of the plan so far. */
export interface PlanSoFar {
  readonly graph: Graph;
  /** Every key that is followed. */
  readonly keys: ReadonlySet<ForeignKey>;
  /** Whether one of them deletes. */
  readonly cascading: boolean;
  /** How many keys lie between the client's rows and those that a key references, where that is certain. */
  readonly depth: (key: ForeignKey) => number | undefined;
  /** The index, among the plan's changes, of the one of this relation. */
  readonly change: (relation: Relation) => number;
  /** The keys that may take a row out of the reach of the given key: they set a column that it uses. */
  readonly changers: (key: ForeignKey) => readonly ForeignKey[];
}

/** The checks for a key that sets columns, against every other key of the rows that it changes. */
export function conflictsOf(key: ForeignKey, known: PlanSoFar): readonly Check[] {
  const { graph } = known;
  const change = known.change(key.referencing);
  const beside = graph
    .keysOnRows(key.referencing)
    .flatMap((other) => (other === key ? [] : checksBeside(key, other, change, known)));
  const referencing = graph
    .keysToRows(key.referencing)
    .filter(
      ({ performer, columns }) =>
        performer !== 'nobody' && columns.some(({ referenced }) => sets(key, referenced)),
    )
    .map((other): Check => {
      const on = graph.isPartOf(other.referenced, key.referencing) ? other.referenced : key.referencing;
      return { kind: 'referenced', key, other, on };
    });
  return [...mixing(key, key, change, graph), ...beside, ...nullsBeforeDeletion(key, known), ...referencing];
}

/** Makes `PlanSoFar.changers` for these keys. */
export function changersAmong(keys: ReadonlySet<ForeignKey>, graph: Graph): PlanSoFar['changers'] {
  const known = new Map<ForeignKey, readonly ForeignKey[]>();
  return (key) => {
    const changers =
      known.get(key) ??
      graph
        .keysOnRows(key.referencing)
        .filter((other) => other !== key && keys.has(other) && setsColumns(other) && setsColumnOf(other, key))
        .sort((a, b) => a.id - b.id);
    known.set(key, changers);
    return changers;
  };
}

/** The checks for a key that sets columns, against one other key of the rows that it changes. */
function checksBeside(
  key: ForeignKey,
  other: ForeignKey,
  change: number,
  known: PlanSoFar,
): readonly Check[] {
  const { graph, keys, depth } = known;
  const followed = keys.has(other);
  if (other.performer !== 'proxy' && !followed) return [];
  const overlap = (when: 'before' | 'both' | 'new key'): Check => {
    const on = graph.isPartOf(other.referencing, key.referencing) ? other.referencing : key.referencing;
    return { kind: 'overlap', key, other, on, when, change, within: within(other, key, graph) };
  };
  // Where two UPDATEs of one statement meet at a row, only one of them is applied. All changes of one table are one UPDATE, but
  // those of its partitions are others.
  if (followed && setsColumns(other) && other.referencing !== key.referencing) return [overlap('both')];
  const deletes = followed && cascades(other) && !isSurelyBefore(depth(other), depth(key));
  if (!setsColumnOf(key, other))
    // What the SET DEFAULT key would have made of a row before the other key deletes it is not known.
    return deletes && key.action === 'set default' && !setsConstants(key) ? [overlap('before')] : [];
  const made: Check[] =
    key.action === 'set default' && other.performer === 'proxy'
      ? [{ kind: 'new key', key: other, by: key, change, within: within(other, key, graph) }]
      : [];
  const gone = key.action === 'set default' && followed ? [overlap('new key')] : [];
  const checks = [...mixing(key, other, change, graph), ...made, ...gone];
  if (deletes) return [...checks, overlap('before')];
  if (!followed || !setsColumns(other) || sameChange(key, other)) return checks;
  const canTell = queueTells(other, known);
  return [...checks, canTell ? { kind: 'order', key: other, by: key } : overlap('before')];
}

/** MATCH FULL allows no key that is null in part (RI_FKey_check). */
function mixing(by: ForeignKey, key: ForeignKey, change: number, graph: Graph): readonly Check[] {
  if (!key.matchFull || key.columns.length === 1 || key.performer !== 'proxy') return [];
  const setsPart = key.columns.some(({ referencing }) => !sets(by, referencing));
  return by.action === 'set default' || setsPart
    ? [{ kind: 'mixed key', key, by, change, within: within(key, by, graph) }]
    : [];
}

/**
 * A column that takes no NULL although the key sets it. Natively that fails for a row that another key deletes later, too; but
 * the expanded statement does not ask the server to change such rows.
 */
function nullsBeforeDeletion(key: ForeignKey, { cascading }: PlanSoFar): readonly Check[] {
  if (key.action !== 'set null' || !cascading) return [];
  return key.referencing.columns
    .filter(({ name, notNull }) => notNull && sets(key, name))
    .slice(0, 1)
    .map(({ name }): Check => ({ kind: 'not null', key, column: name }));
}

/**
 * Whether the statement itself can tell if another key has changed a row before SET NULL `key` finds it: the keys that may do so
 * must not be stopped from changing it by others in turn.
 */
function queueTells(key: ForeignKey, { changers }: PlanSoFar): boolean {
  const simple = (each: ForeignKey) =>
    each.action === 'set null' && changers(each).every((other) => other === key || sameChange(each, other));
  return key.action === 'set null' && changers(key).every(simple);
}

/** The object ids of the relations that hold the rows which may have the key, where `by` changes other rows too. */
export function within(key: ForeignKey, by: ForeignKey, graph: Graph): readonly number[] | undefined {
  return graph.isPartOf(by.referencing, key.referencing) || !graph.isPartOf(key.referencing, by.referencing)
    ? undefined
    : graph.tree(key.referencing).map(({ oid }) => oid);
}

/** Whether every column that the key sets gets a value that is known beforehand. */
export function setsConstants({ referencing, setColumns }: ForeignKey): boolean {
  return setColumns.every((column) =>
    referencing.columns.some(({ name, constant }) => name === column && constant !== null),
  );
}

function sets({ setColumns }: ForeignKey, column: string): boolean {
  return setColumns.includes(column);
}

/** Whether a key sets a column that the other one uses. */
function setsColumnOf(key: ForeignKey, other: ForeignKey): boolean {
  return other.columns.some(({ referencing }) => sets(key, referencing));
}

function isSurelyBefore(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && other !== undefined && one < other;
}

function sameChange(key: ForeignKey, other: ForeignKey): boolean {
  const columns = (each: ForeignKey) => each.columns.map(({ referencing }) => referencing).join('\0');
  return (
    other.action === key.action &&
    key.action === 'set null' &&
    columns(other) === columns(key) &&
    key.setColumns.join('\0') === other.setColumns.join('\0')
  );
}
