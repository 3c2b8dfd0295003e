/** A plan and what is sent for it as text that a person reads, the same on every run. */
import type { CatalogRelation } from '../../src/graph/catalog/catalog.js';
import type { ForeignKey } from '../../src/graph/model.js';
import type { Check, Deletion, Plan } from '../../src/plan/plan.js';
import { quoteRelation } from '../../src/sql/names.js';

/**
 * One line for each thing that the plan does:
 *
 *     deletion 1: "public"."posts" by posts_author_fkey, returns id
 *     change 0: "public"."comments" by comments_post_fkey (set null)
 *     check: no rows, orders_user_fkey (restrict), deleted by then: none
 */
export function planText(plan: Plan): string {
  return [
    ...plan.deletions.map(deletionText),
    ...plan.changes.map(
      ({ relation, keys }, i) => `change ${i}: ${quoteRelation(relation)} by ${keys.map(keyText).join(', ')}`,
    ),
    ...plan.checks.map((check) => `check: ${checkText(check)}`),
  ].join('\n');
}

function deletionText({ id, relation, origin, inherits, keys, cycle, returns }: Deletion): string {
  const why = origin === 'client' ? 'by the client' : `by ${keys.map(({ name }) => name).join(', ')}`;
  const details = [
    ...(inherits ? ['with inheritance children'] : []),
    ...(cycle === undefined ? [] : [`in cycle ${cycle}`]),
    ...(returns.length > 0 ? [`returns ${returns.join(' ')}`] : []),
  ];
  return [`deletion ${id}: ${quoteRelation(relation)} ${why}`, ...details].join(', ');
}

function checkText(check: Check): string {
  const { key } = check;
  switch (check.kind) {
    case 'rows': {
      const changers =
        check.changers.length > 0
          ? `, changed by ${check.changers.map(({ key }) => key.name).join(', ')}`
          : '';
      return `no rows, ${keyText(key)}, deleted by then: ${check.gone}${changers}`;
    }
    case 'not null':
      return `not null, ${keyText(key)}, column ${check.column}`;
    case 'order':
      return `order, ${keyText(key)} before ${keyText(check.by)}`;
    case 'overlap':
      return `overlap ${check.when}, ${keyText(key)} and ${keyText(check.other)} on ${quoteRelation(check.on)}`;
    case 'referenced':
      return `referenced, ${keyText(key)} changes what ${keyText(check.other)} references on ${quoteRelation(check.on)}`;
    default:
      return `${check.kind}, ${keyText(key)}${check.by === key ? '' : ` set by ${keyText(check.by)}`}`;
  }
}

function keyText({ name, action }: ForeignKey): string {
  return `${name} (${action})`;
}

/**
 * SQL with names in the place of the object ids, and one marker in the place of those, that a run happens to have.
 * @param relations those whose object ids may stand in it
 */
export function sqlText(sql: string, relations: readonly CatalogRelation[]): string {
  const names = new Map(relations.map(({ oid, name }) => [String(oid), `<oid of ${name}>`]));
  return sql
    .replace(/pgcascade\/[0-9a-f]+\//g, 'pgcascade/MARKER/')
    .replace(/\b\d{4,}\b/g, (number) => names.get(number) ?? number)
    .trim();
}
