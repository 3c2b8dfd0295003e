/**
 * Without transactions an interruption leaves the client's own rows, and the same statement again has to find them: by conditions
 * that hold as they held before. No catalog tells there what a name is, so what is not known to do no harm is refused.
 */
import type { Graph } from '../../graph/graph.js';
import { type Plan, setsColumns } from '../../plan/plan.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import { reevaluationObstacle } from '../single/reevaluation.js';
import type { Root } from '../single/root.js';

/** Types that something may be cast to, and functions that give the same for the same values, or go by the time. */
const HARMLESS = new Set(
  (
    'bool int2 int4 int8 float4 float8 numeric text varchar bpchar date time timestamp timestamptz interval uuid ' +
    'abs ceil floor round sqrt power lower upper length char_length substr left right btrim ltrim rtrim replace concat ' +
    'date_trunc date_part extract now curdate like_escape'
  ).split(' '),
);

/** @returns what stands against it */
export function repeatObstacle(names: CalledNames, root: Root, plan: Plan, graph: Graph): string | undefined {
  const gone = reevaluationObstacle(names, root, plan, graph.sharing);
  if (gone !== undefined) return gone;
  const tables = new Set([...graph.relations].map(({ name }) => name));
  const unknown = names.read.find((name) => !tables.has(name));
  if (unknown !== undefined) return `a WHERE that reads "${unknown}", which may be a view of rows that go`;
  // With the types are the functions, and no columns.
  const called = names.types.find((name) => !HARMLESS.has(name));
  if (called !== undefined)
    return `a WHERE that calls ${called}, which may give something else the next time`;
  const own = new Set(graph.sharing(root.target.relation));
  const looked = new Set(names.functions);
  const nulled = plan.keys.find(
    (key) =>
      setsColumns(key) && own.has(key.referencing) && key.setColumns.some((column) => looked.has(column)),
  );
  return nulled && `key "${nulled.name}", which changes what the WHERE looks at`;
}
