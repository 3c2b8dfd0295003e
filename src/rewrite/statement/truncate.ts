/** TRUNCATE of tables that others reference. */
import { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import { brokenError } from '../../plan/limits.js';
import { firedByTruncate } from '../../plan/triggers.js';
import { refusedBy } from '../../render/plain/refusal.js';
import { insertion, splice } from '../../render/splice.js';
import { quoteRelation } from '../../sql/names.js';
import type { TruncateStatement } from '../../sql/statement/statement.js';
import { type Expanded, type RewriteContext, relationOf } from './context.js';
import { judgeTriggers } from './trigger-policy.js';
import { refuse } from './unexpanded.js';

/**
 * PostgreSQL truncates a table only together with all tables that reference it (heap_truncate_check_FKs). Those whose keys
 * the catalog does not have are added to the client's list:
 *
 *     TRUNCATE orgs, "public"."notes" CASCADE
 *
 * @param text the statement's own
 * @throws ProxyError PGC_TRUNCATE where a table references one of the list, and CASCADE is missing
 */
export function expandTruncate(
  text: string,
  statement: TruncateStatement,
  context: RewriteContext,
): Expanded {
  const listed = statement.targets.flatMap(({ name, only }) => {
    const target = relationOf(name, context);
    return target ? [target, ...(only ? [] : context.graph.descendants(target))] : [];
  });
  refusePlain(listed, context);
  const { truncated, added } = withReferencing(listed, statement.cascades, context);
  const named = [...new Set(listed)].map((relation) => ({ relation }));
  const triggers = judgeTriggers(firedByTruncate(truncated), named, context);
  if (triggers.kind === 'refused') return refuse(text, statement, triggers.error, { reject: true });
  const { warnings } = triggers;
  if (added.length === 0) return { treatments: [{ kind: 'forward' }], warnings };
  // The server itself adds what the catalog knows, starting from the added tables too.
  const list = added.map((relation) => `, ${quoteRelation(relation)}`).join('');
  return {
    ...splice(text, [insertion(statement.listEnd, list)]),
    treatments: [{ kind: 'truncate', tables: added.map(({ name }) => name) }],
    warnings,
  };
}

/** @throws ProxyError PGC_FAMILY for a table with keys to perform on a server of which nobody knows what its TRUNCATE takes */
function refusePlain(
  listed: readonly Relation[],
  { graph, profile: { family }, strategy }: RewriteContext,
): void {
  const concerned = strategy === 'plain' ? listed.find((relation) => graph.acts(relation)) : undefined;
  if (!concerned) return;
  throw refusedBy(family, quoteRelation(concerned), 'a TRUNCATE');
}

/** The listed tables with all that reference them, and those among these that the server itself would not add. */
function withReferencing(
  listed: readonly Relation[],
  cascades: boolean,
  { graph }: RewriteContext,
): { readonly truncated: ReadonlySet<Relation>; readonly added: readonly Relation[] } {
  const truncated = new Set(listed);
  const added: Relation[] = [];
  // The loop also visits what is added to the set meanwhile.
  for (const relation of truncated) {
    const [broken] = graph.brokenTo(relation);
    if (broken) throw brokenError(quoteRelation(relation), relation, broken);
    for (const key of graph.keysTo(relation)) {
      if (truncated.has(key.referencing)) continue;
      // Where the server enforces the key, it raises this error itself.
      if (!cascades && key.performer === 'proxy' && !key.enforced)
        throw new ProxyError('PGC_TRUNCATE', { from: key.referencing.name, to: key.referenced.name });
      if (!cascades) continue;
      if (!key.declared) added.push(key.referencing);
      for (const each of graph.tree(key.referencing)) truncated.add(each);
    }
  }
  return { truncated, added };
}
