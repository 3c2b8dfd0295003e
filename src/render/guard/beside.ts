/**
 * Looks at the keys that a statement writes beside a DELETE that cascades. The CTEs that delete do not see what the statement inserts. They need
 * not where that references nothing that they take. Where it does, natively the order of the rows decides (the row is refused, if its key is
 * checked first, or deleted with the others), and here the statement stops itself.
 */
import type { ForeignKey } from '../../graph/model.js';
import type { GuardedKey } from '../../plan/guard.js';
import type { Plan } from '../../plan/plan.js';
import { equals } from '../single/actions/match.js';
import { deletedRows } from '../single/actions/rows.js';
import type { Beside } from '../single/render.js';
import { bodyName, type Root } from '../single/root.js';
import { checkMarker } from '../violations.js';
import { allWritten, isWithin, namesOf } from './guard.js';
import type { GuardCheck } from './guard-checks.js';
import { type Guarded, type WrittenPart as Part, Returned } from './guarded.js';
import { conditionsOf, cteEdits, look, mainEdits, type Source } from './with.js';

/**
 * @param guarded in the order in which PostgreSQL carries them out; none of them changes what is referenced
 * @returns what renderStatement puts into the statement, and what the markers' numbers after those of the plan's own checks stand for
 * @throws ProxyError as renderGuardedWith
 */
export function renderBeside(
  source: Source,
  guarded: readonly Guarded[],
  plan: Plan,
  roots: readonly Root[],
): Beside & { readonly checks: readonly GuardCheck[] } {
  // The numbers in the names of their CTEs come after those of the plan.
  const parts = guarded.map(
    (each, i): Part => ({ guarded: each, columns: new Returned(each, plan.deletions.length + i) }),
  );
  const checks: GuardCheck[] = [];
  const first = plan.checks.length;
  const stops = parts.flatMap((part) => {
    const cases = part.guarded.keys
      .filter(({ key }) => takesReferenced(plan, key))
      .map((each) => stop(each, part, plan, first + checks.push({ kind: 'deleted key', key: each.key }) - 1));
    return cases.length === 0 ? [] : [look(part, cases)];
  });
  const written = conditionsOf(parts, first + checks.length);
  const main = parts.find((part) => part.guarded.site.cte === undefined);
  // Each deletes and writes when its turn comes: of two that change a row the first one does, and a key that is deleted can be inserted.
  const carriedOut = [
    ...roots
      .filter(({ deletion }) => deletion.returns.length > 0)
      .map((root) => ({ turn: root.site.turn, rows: bodyName(root) })),
    ...parts.map(({ columns, guarded }) => ({ turn: guarded.site.turn, rows: columns.rows })),
  ].sort((one, other) => one.turn - other.turn);
  const all = [...carriedOut.map(allWritten), ...stops, ...written.conditions];
  return {
    edits: parts.flatMap((part) => cteEdits(part, source)),
    parts: guarded,
    condition: `(SELECT ${all.join('\n AND ')})`,
    names: namesOf(guarded),
    around: main && ((ctes) => mainEdits(main, ctes.join(',\n'), source)),
    checks: [...checks, ...written.checks],
  };
}

/** Whether the plan deletes rows that a key may reference. */
function takesReferenced(plan: Plan, key: ForeignKey): boolean {
  return plan.keys.includes(key) && (plan.members.get(key.referenced) ?? []).length > 0;
}

/** `WHEN n.pgc_c0 IS NOT NULL AND EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = n.pgc_c0) THEN (marker)` */
function stop({ key, within }: GuardedKey, { columns, guarded }: Part, plan: Plan, number: number): string {
  const { rows, column } = deletedRows(plan, key.referenced);
  const conditions = [
    ...isWithin('n', within, columns),
    ...columns.changed(key),
    `EXISTS (SELECT FROM ${rows} AS d WHERE ${equals(key, 'd', column, 'n', columns.name)})`,
  ];
  const marker = checkMarker(number, String(guarded.target.relation.oid), []);
  return `WHEN ${conditions.join(' AND ')} THEN ${marker}::pg_catalog.int4 IS NULL`;
}
