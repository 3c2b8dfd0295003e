/** What a statement writes beside a DELETE that cascades, where the keys of it are looked at. */
import { ProxyError } from '../../errors.js';
import { isGuarded } from '../../plan/guard.js';
import { mayLeaveKeys } from '../../plan/on-update.js';
import type { Plan } from '../../plan/plan.js';
import { renderBeside } from '../../render/guard/beside.js';
import type { GuardCheck } from '../../render/guard/guard-checks.js';
import type { Guarded } from '../../render/guard/guarded.js';
import type { Beside } from '../../render/single/render.js';
import type { Root } from '../../render/single/root.js';
import { quoteRelation } from '../../sql/names.js';
import type { DeletingStatement, Write, WritingStatement } from '../../sql/statement/statement.js';
import { type RewriteContext, relationOf } from './context.js';
import type { CascadeTreatment } from './treatment.js';
import { guardedParts, refuseUnknowable, refuseWrites, tablesOf } from './write.js';

/** What it does beside deleting. */
export function writingOf({ form, outer, prepares, writes, written }: DeletingStatement): WritingStatement {
  return { kind: 'writing', form, outer, writes, query: written, prepares };
}

/**
 * The places at which it writes what has to be looked at; none where no keys are looked at.
 * @throws ProxyError PGC_GUARD, PGC_GUARD_REFERENCED for what cannot be looked at beside that DELETE
 */
export function guardedBeside(
  { form, outer, writes, written }: DeletingStatement,
  plan: Plan,
  context: RewriteContext,
): readonly Guarded[] {
  const { batchRows, guard, strategy } = context;
  const beside = `${form}, beside a DELETE that cascades,`;
  if (written === undefined || strategy === 'plain' || batchRows > 0) {
    refuseWrites(beside, writes, context);
    return [];
  }
  const parts = guardedParts(written, outer === 'COPY', context);
  for (const part of parts) {
    const { changes, keys, site, target } = part;
    refuseUnknowable(part, context);
    // What ON UPDATE does comes after the statement, where the rows that the DELETE took are gone.
    if (mayLeaveKeys(changes)) refuseWrites(beside, [site.write], context);
    // The rows of a MERGE are deleted and written ones in one list.
    const isEither = site.write.deletes || keys.some(({ key }) => changesReferenced(plan, key, context));
    if (isEither)
      throw new ProxyError('PGC_GUARD', { form: beside, guard, table: quoteRelation(target.named) });
  }
  return parts;
}

/**
 * Whether the plan sets columns of what a key references: then it is not known which rows still have the key, and a row that this
 * statement has changed cannot be locked by it.
 */
function changesReferenced(
  plan: Plan,
  { referenced }: Plan['keys'][number],
  { graph }: RewriteContext,
): boolean {
  return plan.changes.some(
    ({ relation }) => graph.isPartOf(relation, referenced) || graph.isPartOf(referenced, relation),
  );
}

/**
 * Whether a write only inserts rows of which each key is looked at by which the DELETE might take them: they reference nothing that is
 * deleted then, so that the DELETE takes none of them natively. A row that is there already can be changed only once in a statement.
 */
export function insertsClear(
  { inserts, updates, deletes, target }: Write,
  plan: Plan,
  context: RewriteContext,
): boolean {
  const { graph } = context;
  const relation = relationOf(target, context);
  if (relation === undefined || relation.kind === 'v' || !inserts || updates || deletes) return false;
  return plan.keys
    .filter(
      ({ referencing }) => graph.isPartOf(relation, referencing) || graph.isPartOf(referencing, relation),
    )
    .every(isGuarded);
}

/** @returns undefined where nothing is looked at */
export function renderedBeside(
  text: string,
  statement: DeletingStatement,
  parts: readonly Guarded[],
  plan: Plan,
  roots: readonly Root[],
  context: RewriteContext,
): (Beside & Required<CascadeTreatment>['beside'] & { readonly checks: readonly GuardCheck[] }) | undefined {
  const { written: query } = statement;
  if (parts.length === 0 || query === undefined) return undefined;
  const source = { text, statement: writingOf(statement), query, columns: context.returnedColumns };
  const tables = new Map(parts.flatMap(({ target }) => tablesOf(target.relation, context)));
  return { ...renderBeside(source, parts, plan, roots), tables };
}
