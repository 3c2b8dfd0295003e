/** What a statement writes into a table, also where it names a view of it. Pure. */
import type { Graph } from '../graph/graph.js';
import type { Relation } from '../graph/model.js';
import type { Written } from './guard.js';

/** A table, as far as a statement writes into it. */
export interface Target {
  /** The table. */
  readonly relation: Relation;
  /** What the statement names: the table itself, or a view of it. */
  readonly named: Relation;
  /** What the view calls the table's columns; undefined where the statement names the table. */
  readonly columns: ReadonlyMap<string, string> | undefined;
  /** By the names that the table has. */
  readonly written: Written;
}

/**
 * @param named what the statement names
 * @param write by the names that this has
 * @returns undefined where a view's table has no keys, or the server refuses; 'unknown' where it cannot be told what is written
 */
export function targetOf(graph: Graph, named: Relation, write: Written): Target | 'unknown' | undefined {
  const { inserts, sets } = write;
  if (named.kind !== 'v')
    return { relation: named, named, columns: undefined, written: { inserts, sets: allSet(named, sets) } };
  const base = graph.writtenBase(named);
  if (base === undefined || base === 'unknown') return base;
  const { columns, relation, shows } = base;
  // The server refuses to set what is an expression.
  const set = sets.flatMap((column) => shows.get(column) ?? []);
  return {
    relation,
    named,
    columns,
    written: { inserts, sets: allSet(relation, set), shown: new Set(columns.keys()) },
  };
}

/** Those that are set, and those that the server generates: it does not matter here from which of them. */
function allSet({ columns }: Relation, sets: readonly string[]): readonly string[] {
  if (sets.length === 0) return sets;
  const generated = columns.filter((column) => column.generated && !sets.includes(column.name));
  return [...sets, ...generated.map(({ name }) => name)];
}
