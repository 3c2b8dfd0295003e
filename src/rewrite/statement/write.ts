/** INSERT, UPDATE and MERGE of keys that the proxy performs: with a look at what they reference, where that is asked for. */
import { ProxyError } from '../../errors.js';
import type { ForeignKey, Relation } from '../../graph/model.js';
import {
  type GuardedKey,
  guardedKeys,
  hasOwnRowsOnly,
  ownRows,
  type RowsOf,
  setReferenced,
} from '../../plan/guard.js';
import { mayLeaveKeys, planUpdate } from '../../plan/on-update.js';
import { type Target, targetOf } from '../../plan/written.js';
import { serverOf } from '../../profiles/families/family.js';
import { renderCopied } from '../../render/guard/copied.js';
import { renderGuarded } from '../../render/guard/guard.js';
import { type Guarded, tellsTables } from '../../render/guard/guarded.js';
import { renderGuardedWith } from '../../render/guard/with.js';
import { quoteRelation } from '../../sql/names.js';
import type { Meaning, Write, WritingQuery, WritingStatement } from '../../sql/statement/statement.js';
import { type Expanded, fingerprintOf, type RewriteContext, relationOf } from './context.js';
import { AS_SENT } from './program.js';
import type { GuardTreatment } from './treatment.js';
import { prepareTreatment, unchangedTreatment } from './unexpanded.js';

/**
 * @param text the statement's own
 * @param meaning what a PREPARE is remembered as: that of a statement that also deletes, where `statement` is what it writes
 * @throws ProxyError PGC_GUARD for what cannot be looked at, PGC_GUARD_REFERENCED where it changes what is referenced; and what
 * context.returnedColumns throws
 */
export function expandWrite(
  text: string,
  statement: WritingStatement,
  context: RewriteContext,
  meaning: Meaning = statement,
): Expanded {
  const { form, outer, prepares, query, writes } = statement;
  if (query === undefined) {
    const [write] = writes;
    const isVerified = context.verifiesCopies && context.guard === 'check';
    if (isVerified && write?.command === 'COPY FROM') return expandCopy(write, context);
    refuseWrites(form, writes, context);
  }
  const parts = query === undefined ? [] : guardedParts(query, outer === 'COPY', context);
  const [first] = parts;
  if (query === undefined || first === undefined) return { treatments: [unchangedTreatment(text, meaning)] };
  for (const part of parts) refuseUnknowable(part, context);
  const isAlone = parts.length === 1 && first.site.cte === undefined && outer !== 'COPY';
  const { sql, copied, checks, shape, followUps } = isAlone
    ? renderGuarded(text, query, first)
    : renderGuardedWith(text, statement, query, parts, context.returnedColumns);
  const left = parts.find(({ changes }) => mayLeaveKeys(changes))?.target.relation;
  const isAnswered = outer === undefined || outer === 'PREPARE';
  const guarded: GuardTreatment = {
    kind: 'guarded',
    target: parts.map(({ target }) => quoteRelation(target.relation)).join(', '),
    command: parts.find(({ site }) => site.cte === undefined)?.site.write.command,
    shape: isAnswered ? shape : AS_SENT,
    checks,
    followUps: followUps ?? [],
    update: left && { table: left, fingerprint: fingerprintOf(text, context) },
    tables: new Map(
      parts.flatMap(({ changes }) => changes.leaving.flatMap((each) => tablesOf(each.relation, context))),
    ),
  };
  const treatment =
    prepares === undefined ? guarded : prepareTreatment(prepares, text, { sql, copied }, guarded, meaning);
  return { treatments: [treatment], sql, copied };
}

/**
 * COPY FROM, after which the keys of its rows are looked at (renderCopied). In the protocol of single messages nothing can be sent before
 * the data are.
 */
function expandCopy(write: Write, context: RewriteContext): Expanded {
  if (!context.inString) refuseWrites('COPY FROM in the extended protocol', [write], context);
  const target = targetIn(write, context);
  const keys = keysWritten(write, context);
  if (target === undefined || keys.length === 0) return { treatments: [{ kind: 'forward' }] };
  const { relation } = target;
  const { sql, checks } = renderCopied({ target: write.target, relation, keys });
  const copied: GuardTreatment = {
    kind: 'guarded',
    target: quoteRelation(relation),
    command: write.command,
    shape: AS_SENT,
    checks,
    followUps: [{ sql, counts: [] }],
    tables: new Map(tablesOf(relation, context)),
  };
  return { treatments: [copied] };
}

/** What a statement may write rows of a relation into, by object ids. */
export function tablesOf(
  relation: Relation,
  { graph }: RewriteContext,
): readonly (readonly [number, Relation])[] {
  return [relation, ...graph.descendants(relation)].map((each) => [each.oid, each]);
}

/** The places of a statement at which it writes keys that have to be looked at, or what these may reference. */
export function guardedParts(
  { sites }: WritingQuery,
  isCopied: boolean,
  context: RewriteContext,
): readonly Guarded[] {
  const { guard } = context;
  const tellsOld = context.profile.can.returnOldAndNew;
  if (guard === 'off') return [];
  const changing = sites.filter(({ write }) => {
    const target = targetIn(write, context);
    return !isCopied && target !== undefined && keysChanged(target, context).length > 0;
  });
  // What comes of two of them would have to be handed on by two settings, and done in turns.
  const compared = changing.length === 1 ? changing[0] : undefined;
  const all = sites.flatMap((site): readonly Guarded[] => {
    const target = targetIn(site.write, context);
    if (target === undefined) return [];
    const written = keysWritten(site.write, context, site === compared);
    const changed = site === compared ? keysChanged(target, context) : [];
    const given = written.filter(({ within }) => within === 'all').map(({ key }) => key);
    const changes = planUpdate(context.graph, target.relation, changed, given);
    // What references something only when ON UPDATE has been carried out is looked at after that.
    const keys = written.filter(({ key }) => !changes.leaving[0]?.written.includes(key));
    return [{ site, target, keys, changes, level: guard, tellsOld, counts: context.counting }];
  });
  return all
    .map((part) => ({ ...part, referencedHere: referencedIn(part, all, context) }))
    .filter(
      ({ keys, changes, referencedHere }) => keys.length + referencedHere.size > 0 || mayLeaveKeys(changes),
    );
}

/** The keys of other parts that may reference rows of this one. */
function referencedIn(
  { site, target: { relation, written } }: Guarded,
  parts: readonly Guarded[],
  { graph, guard }: RewriteContext,
): ReadonlyMap<ForeignKey, RowsOf> {
  const found = new Map<ForeignKey, RowsOf>();
  for (const { key } of parts.flatMap((part) => (part.site === site ? [] : part.keys))) {
    const own = ownRows(graph, relation, key, written.shown);
    if (own?.areKnown === false)
      throw new ProxyError('PGC_GUARD', {
        form: `WITH that writes a parent of what is referenced`,
        guard,
        table: quoteRelation(key.referencing),
      });
    if (own) found.set(key, own.within);
  }
  return found;
}

/**
 * Refuses a statement whose writes cannot be looked at, where there is anything to look at.
 * @param form what it is, for the error
 * @throws ProxyError as expandWrite
 */
export function refuseWrites(form: string, writes: readonly Write[], context: RewriteContext): void {
  const { guard } = context;
  for (const write of writes) {
    // Rows that are copied go by unseen: that they are locked is more than `lock` promises.
    if (guard === 'lock' && write.command === 'COPY FROM') continue;
    const [first] = keysWritten(write, context);
    if (first)
      throw new ProxyError('PGC_GUARD', { form, guard, table: quoteRelation(first.key.referencing) });
  }
}

/** The keys whose referenced columns are compared, as they were and as they are: an UPDATE that changes none of them is none of theirs. */
function keysChanged(
  { relation, written }: Target,
  { graph, guard, profile }: RewriteContext,
): readonly ForeignKey[] {
  if (guard !== 'check' || !profile.can.returnOldAndNew || !hasOwnRowsOnly(graph, relation)) return [];
  const keys = setReferenced(graph, relation, written);
  const { shown } = written;
  const areShown = keys.every(({ columns }) =>
    columns.every(({ referenced }) => shown?.has(referenced) ?? true),
  );
  return areShown ? keys : [];
}

/**
 * @param isSeen whether the rows that it writes can be looked at
 * @throws ProxyError PGC_GUARD_REFERENCED; PGC_GUARD for a key that cannot be looked at, and for a view of which it is not told what it writes
 */
function keysWritten(write: Write, context: RewriteContext, isSeen = false): readonly GuardedKey[] {
  const { graph, guard } = context;
  const target = targetIn(write, context);
  if (target === undefined) return [];
  const { named, relation, written } = target;
  const [referenced] = guard === 'check' ? setReferenced(graph, relation, written) : [];
  const isCompared = isSeen && keysChanged(target, context).length > 0;
  if (referenced && !isCompared)
    throw new ProxyError('PGC_GUARD_REFERENCED', { key: referenced.name, table: quoteRelation(relation) });
  const keys = guardedKeys(graph, relation, written);
  const of = named === relation ? 'of a parent' : 'through a view that does not show the key';
  for (const { key, isHidden } of keys) {
    const table = quoteRelation(key.referencing);
    if (isHidden) throw new ProxyError('PGC_GUARD', { form: `${write.command} ${of}`, guard, table });
    // Its last columns are not equal to those that they reference, but lie within them.
    if (key.period)
      throw new ProxyError('PGC_GUARD', { form: `${write.command} with a PERIOD`, guard, table });
  }
  return keys;
}

/**
 * @returns undefined where no keys are looked at
 * @throws ProxyError PGC_GUARD for a view of which it is not told what it writes, where there may be a key
 */
function targetIn(write: Write, context: RewriteContext): Target | undefined {
  const { graph, guard } = context;
  const named = relationOf(write.target, context);
  if (named === undefined || guard === 'off') return undefined;
  const target = targetOf(graph, named, write);
  if (target === 'unknown') return refuseView(named, write, context);
  return target;
}

/** What such a view calls the columns of its tables is not known: any write into a table with keys counts. */
function refuseView(view: Relation, { inserts }: Write, { graph, guard }: RewriteContext): undefined {
  const written = (base: Relation) => {
    const sets = base.columns.map(({ name }) => name);
    const isSet = guard === 'check' && setReferenced(graph, base, { sets }).length > 0;
    return guardedKeys(graph, base, { inserts, sets }).length > 0 || (isSet && !inserts);
  };
  if (graph.viewed(view).some(written)) {
    const form = 'a statement on a view of which cannot be told what is written';
    throw new ProxyError('PGC_GUARD', { form, guard, table: quoteRelation(view) });
  }
  return undefined;
}

/** @throws ProxyError PGC_GUARD where the server does not tell what has to be known of the rows */
export function refuseUnknowable(part: Guarded, context: RewriteContext): void {
  const { guard, profile } = context;
  const { site, target } = part;
  const { write } = site;
  const refuse = (form: string) => {
    throw new ProxyError('PGC_GUARD', { form, guard, table: quoteRelation(target.named) });
  };
  const { family } = profile;
  if (family.strategy !== 'single') refuse(`${write.command} on ${serverOf(family)}`);
  if (tellsTables(part) && target.columns?.has('tableoid') === false)
    refuse(`${write.command} through a view that does not show the tableoid`);
  if (write.command === 'MERGE' && !profile.can.returnFromMerge)
    refuse('MERGE on a server before version 17');
  if (write.deletes && !profile.can.returnOldAndNew)
    refuse('MERGE that also deletes on a server before version 18');
  if (guard === 'check' && write.updates && !profile.can.returnOldAndNew)
    refuse(
      `${write.command === 'INSERT' ? 'ON CONFLICT DO UPDATE' : write.command} on a server before version 18`,
    );
}
