/**
 * A plan as one statement: the client's DELETE, its text untouched, as the first of a chain of CTEs, and the children's
 * hanging off what it returned. All parts see one snapshot, so their order in the text decides nothing.
 */
import type { Relation } from '../graph/model.js';
import { quoteLiteral, quoteName, quoteRelation } from '../sql/names.js';
import type { DeleteStatement } from '../sql/statement.js';
import { renderChange } from './changes.js';
import { renderChecks } from './checks.js';
import { references } from './match.js';
import type { Deletion, Plan } from './plan.js';
import { columnName, cteName, deletedRows, renderNumbered, tableOf } from './rows.js';
import { MOVED_SQL } from './violations.js';

export interface Rendered {
  readonly sql: string;
  /** The runs of the client's statement in it, for the positions of errors; all in characters. */
  readonly copied: readonly { readonly client: number; readonly sent: number; readonly length: number }[];
  /** How many columns stand before the client's own in every row of a RETURNING; without one, the row is a count. */
  readonly hidden: number;
}

/** @returns the statement that does what `plan` says, around the text of `statement` */
export function renderSingleStatement(plan: Plan, statement: DeleteStatement): Rendered {
  const [root, ...below] = plan.deletions;
  if (root === undefined) throw new Error('a plan without a target');
  const columns = root.returns.map((name) => `${quoteName(statement.alias)}.${quoteName(name)}`);
  const opening = `WITH ${header(root)} AS (\n`;
  const before = `${opening}${statement.body}\nRETURNING ${statement.returningOptions} ${columns.join(', ')}`;
  const first = statement.returning === undefined ? before : `${before}, ${statement.returning.text}`;
  const parts = [
    `${first}\n)`,
    ...below.map((deletion) => `${header(deletion)} AS (${renderDeletion(deletion, plan)})`),
    ...plan.deletions.filter(({ ordered }) => ordered).map((deletion) => renderNumbered(plan, deletion)),
    ...plan.changes.flatMap((change, i) => renderChange(change, i, plan)),
  ];
  const result = statement.returning === undefined ? 'pg_catalog.count(*)' : `${cteName(0)}.*`;
  const conditions = [meaningHolds(statement, plan.target), ...renderChecks(plan)];
  return {
    sql: `${parts.join(',\n')}\nSELECT ${result} FROM ${cteName(0)} WHERE ${conditions.join('\n AND ')}`,
    copied: [
      { client: 0, sent: opening.length, length: statement.body.length },
      ...(statement.returning === undefined
        ? []
        : [
            {
              client: statement.returning.start,
              sent: before.length + 2,
              length: statement.returning.text.length,
            },
          ]),
    ],
    hidden: columns.length,
  };
}

function header(deletion: Deletion): string {
  const columns = deletion.returns.map((_, i) => columnName(i));
  return `${cteName(deletion.id)}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}`;
}

/** A table reached over several edges is deleted from once, by any of them. */
function renderDeletion(deletion: Deletion, plan: Plan): string {
  const conditions = deletion.edges.map(({ key, parent }) => references(key, 'r', deletedRows(plan, parent)));
  const returning = deletion.returns.map((name) => `r.${quoteName(name)}`).join(', ');
  const sql = `DELETE FROM ${tableOf(deletion.relation)} AS r WHERE ${conditions.join(' OR ')}`;
  return returning === '' ? sql : `${sql} RETURNING ${returning}`;
}

/**
 * Fails where the target's name no longer means the table that was planned for. The server looks the name up whenever
 * it analyses the statement, in the same breath as the one in the client's text.
 */
function meaningHolds(statement: DeleteStatement, target: Relation): string {
  const name = quoteLiteral(quoteRelation(statement.target));
  const same = `${name}::pg_catalog.regclass::pg_catalog.oid OPERATOR(pg_catalog.=) ${target.oid}::pg_catalog.oid`;
  return `CASE WHEN ${same} THEN true ELSE ${MOVED_SQL} OPERATOR(pg_catalog.=) 0 END`;
}
