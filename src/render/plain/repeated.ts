/**
 * Without transactions an interrupted cascade has deleted some of the rows below the client's, and the client has to send the statement again.
 * It must find the same rows of the client's then, so its conditions may read nothing that the cascade changes. Such a server has no
 * catalog that says what a name means, so what is not known to be harmless is refused.
 */
import type { Graph } from '../../graph/graph.js';
import { type Plan, setsColumns } from '../../plan/plan.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import { reevaluationObstacle } from '../single/reevaluation.js';
import type { Root } from '../single/root.js';

/** Types to cast to, and functions that are immutable or depend only on the time. */
const HARMLESS = new Set(
  (
    'bool int2 int4 int8 float4 float8 numeric text varchar bpchar date time timestamp timestamptz interval uuid ' +
    'abs ceil floor round sqrt power lower upper length char_length substr left right btrim ltrim rtrim replace concat ' +
    'date_trunc date_part extract now curdate like_escape'
  ).split(' '),
);

/** @returns why the statement may not find the same rows again; undefined where it does */
export function repeatObstacle(names: CalledNames, root: Root, plan: Plan, graph: Graph): string | undefined {
  const gone = reevaluationObstacle(names, root, plan, graph.sharing);
  if (gone !== undefined) return gone;
  const tables = new Set([...graph.relations].map(({ name }) => name));
  const unknown = names.read.find((name) => !tables.has(name));
  if (unknown !== undefined) return `a WHERE that reads "${unknown}", which may be a view of rows that go`;
  // `types` has the names of functions too, and no columns.
  const called = names.types.find((name) => !HARMLESS.has(name));
  if (called !== undefined)
    return `a WHERE that calls ${called}, which may give something else the next time`;
  const own = new Set(graph.sharing(root.target.relation));
  const columns = new Set(names.functions);
  const nulled = plan.keys.find(
    (key) =>
      setsColumns(key) && own.has(key.referencing) && key.setColumns.some((column) => columns.has(column)),
  );
  return nulled && `key "${nulled.name}", which changes what the WHERE looks at`;
}
