/**
 * The order in which PostgreSQL carries out what a WITH deletes. What is read is carried out when it is read; the rest
 * after the statement itself, the last one first (ExecInitModifyTable puts each before the others in
 * es_auxmodifytables, which ExecPostprocessPlan goes through).
 */

import type { Json, Node } from '../parser/parser.js';
import { asList, asNode } from '../parser/tree.js';
import { nodesOf } from './deletes.js';
import { referencedFirst } from './referenced-first.js';

export interface Cte {
  readonly name: string;
  readonly query: Node;
}

/** A part of a statement. PostgreSQL begins first with the part that has the least turn, whatever the parts are. */
export type InTurn<T> = T & { readonly turn: number };

/**
 * The parts in the order in which PostgreSQL carries them out.
 * @param order as executionOrder gives it
 * @param inCtes for each CTE what it is, where it is such a part
 */
export function inTurn<T>(
  order: readonly number[],
  inCtes: readonly (T | undefined)[],
  main: T | undefined,
): readonly InTurn<T>[] {
  return order.flatMap((place, turn) => {
    const part = place < 0 ? main : inCtes[place];
    return part ? [{ ...part, turn }] : [];
  });
}

/**
 * @param main the statement without its WITH
 * @returns the places of the CTEs, and -1 for the statement itself
 */
export function executionOrder(ctes: readonly Cte[], recursive: boolean, main: Node): readonly number[] {
  const named = placesByName(ctes);
  const order = new Set<number>();
  const begun = new Set<number>();
  // What is still to be done, the next one last: a WITH may be a chain of thousands.
  const steps: (() => void)[] = [];
  const read = (tree: Json | undefined, place: number) => {
    for (const other of [...placesIn(tree ?? null, named)].reverse())
      steps.push(() => {
        // Only WITH RECURSIVE lets a query see what stands after it.
        if (!begun.has(other) && (recursive || place < 0 || other < place)) execute(other);
      });
  };
  const execute = (place: number) => {
    begun.add(place);
    const { returningClause, ...before } = Object.values(ctes[place]?.query ?? main).map(asNode)[0] ?? {};
    steps.push(() => read(returningClause, place));
    steps.push(() => order.add(place));
    read(before, place);
  };
  const run = (first: number) => {
    execute(first);
    for (let step = steps.pop(); step; step = steps.pop()) step();
  };
  run(-1);
  const places = recursive ? sorted(ctes, named) : [...ctes.keys()];
  // A SELECT that nobody reads is not carried out.
  for (const place of places.reverse())
    if (!begun.has(place) && ctes[place]?.query.SelectStmt === undefined) run(place);
  return [...order];
}

/** The places of CTEs; of one name the first. */
export function placesByName(ctes: readonly { readonly name: string }[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  ctes.forEach(({ name }, place) => {
    if (!places.has(name)) places.set(name, place);
  });
  return places;
}

/** The CTEs of a WITH RECURSIVE as PostgreSQL sorts them. */
function sorted(ctes: readonly Cte[], named: ReadonlyMap<string, number>): number[] {
  return referencedFirst(
    ctes.map(({ query }, i) => new Set(placesIn(query, named).filter((place) => place !== i))),
  );
}

/**
 * The places of the CTEs that a tree reads or changes, in the order in which they are likely to be read. Where a WITH in the
 * tree has a CTE of that name too, none is given for the name.
 */
export function placesIn(tree: Json, ctes: ReadonlyMap<string, number>): readonly number[] {
  if (ctes.size === 0) return [];
  const nodes = nodesOf(tree, (key) => READ.indexOf(key));
  // FOR UPDATE OF names what the FROM calls its tables.
  const locked = new Set(
    nodes.flatMap(([type, { lockedRels }]) =>
      type === 'LockingClause' ? asList(lockedRels).map((each) => asNode(asNode(each).RangeVar)) : [],
    ),
  );
  // A WITH below has names of its own.
  const own = new Set(
    nodes.flatMap(([type, { ctename }]) => (type === 'CommonTableExpr' ? [String(ctename)] : [])),
  );
  const read = nodes.flatMap(([type, value]) => {
    const name = String(value.relname);
    const isCte = type === 'RangeVar' && value.schemaname === undefined && !own.has(name);
    return isCte && !locked.has(value) ? [name] : [];
  });
  return [...new Set(read)].flatMap((name) => ctes.get(name) ?? []);
}

/** Parts of a statement, the last to be read first; what is none of them is read after them. */
const READ = [
  'whereClause',
  'joinCondition',
  'sourceRelation',
  'usingClause',
  'fromClause',
  'havingClause',
  'limitOffset',
  'limitCount',
];
