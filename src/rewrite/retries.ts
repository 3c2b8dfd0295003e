/** Whether a rewritten text may be sent again after it has failed, and what that takes. Pure. */
import type { Plan } from '../plan/plan.js';
import { textsOf } from '../render/ordered/sequence.js';
import { textsOfPages } from '../render/paged/pages.js';
import type { Locks } from '../render/single/locks.js';
import type { Statement } from '../sql/statement/statement.js';
import { locksBefore, type Program, suspects } from './statement/program.js';
import { type AtLimit, atLimitOf, type CascadeTreatment, type Treatment } from './statement/treatment.js';
import type { Rewrite } from './text.js';

export type BatchesAtLimit = Extract<AtLimit, { readonly kind: 'batches' }>;

/** The one statement that a text is, where it is expanded, with or without what locks its rows. */
function onlyCascade(treatments: readonly Treatment[]): CascadeTreatment | undefined {
  const [treatment, ...more] = treatments.filter(({ kind }) => kind !== 'lock');
  return treatment?.kind === 'cascade' && more.length === 0 ? treatment : undefined;
}

/** The plan of a text that is one expanded statement. */
export function planOf(treatments: readonly Treatment[]): Plan | undefined {
  return onlyCascade(treatments)?.plan;
}

/**
 * How a text is carried out.
 * @returns undefined for one of several statements, or of none that is expanded: it is sent as it stands
 */
export function programOf(treatments: readonly Treatment[]): Program | undefined {
  return onlyCascade(treatments)?.program;
}

/** The texts of all steps by which statements of the text are carried out, where they are known before any keys are. */
export function stepTextsIn(treatments: readonly Treatment[]): readonly string[] {
  return treatments.flatMap((treatment) =>
    treatment.kind === 'cascade' ? stepTexts(treatment.program) : [],
  );
}

function stepTexts(program: Program): readonly string[] {
  switch (program.kind) {
    case 'ordered':
      return textsOf(program.sequence);
    case 'paged':
      return textsOfPages(program.pages);
    case 'single':
    case 'plain':
      return [];
  }
}

/** Whether a statement of the text is carried out by several, which take its values. */
export function isCarriedOut(treatments: readonly Treatment[]): boolean {
  return treatments.some((treatment) => treatment.kind === 'cascade' && treatment.program.kind !== 'single');
}

/** How a text that is one statement is done again in batches, where it has reached a limit of the server's. */
export function batchesAtLimit(treatments: readonly Treatment[]): BatchesAtLimit | undefined {
  const [treatment, ...more] = treatments.filter(({ kind }) => kind !== 'lock');
  const atLimit = more.length === 0 ? atLimitOf(treatment) : undefined;
  return atLimit?.kind === 'batches' ? atLimit : undefined;
}

/** The texts of all steps by which statements of the text would be done again in batches. */
export function batchTextsIn(treatments: readonly Treatment[]): readonly string[] {
  return treatments.flatMap((treatment) => {
    const atLimit = atLimitOf(treatment);
    return atLimit?.kind === 'batches' ? stepTexts(atLimit.program) : [];
  });
}

/** The same text as it is done in batches: nothing is sent in its place. */
export function rewriteInBatches(rewrite: Rewrite, { cascade }: BatchesAtLimit): Rewrite {
  const { text, places } = rewrite;
  const start = places[0]?.client ?? 0;
  return {
    ...rewrite,
    sql: text,
    marker: undefined,
    changed: true,
    treatments: [cascade],
    copied: [{ client: 0, sent: 0, length: text.length }],
    places: [{ client: start, sent: start }],
  };
}

/** The answers to more statements than this are not held back. */
const MOST_STATEMENTS = 10_000;

/**
 * Whether nothing but their deletions is lost when these statements are a transaction of their own and fail. Their answers
 * have to be held until all of them have succeeded, so several statements may return no rows.
 */
export function mayBeSentAgain(statements: readonly Statement[]): boolean {
  if (statements.length === 1) return true;
  const isPlain = ({ meaning }: Statement) =>
    meaning.kind === 'deleting' &&
    meaning.outer === undefined &&
    !meaning.hasWith &&
    meaning.sites.every(({ command, returning }) => command === 'DELETE' && returning === undefined);
  return statements.length <= MOST_STATEMENTS && statements.every(isPlain);
}

/** Whether a statement of the text fails on mere suspicion that a rule is broken. */
export function isSuspecting(treatments: readonly Treatment[]): boolean {
  return treatments.some((treatment) => treatment.kind === 'cascade' && suspects(treatment.program));
}

/** What locks the rows that the text's expanded statements are going to delete. */
export function locksOf(treatments: readonly Treatment[]): readonly Locks[] {
  return treatments.flatMap((treatment) =>
    treatment.kind === 'cascade' ? (locksBefore(treatment.program) ?? []) : [],
  );
}

/** What locks the tables of the children before the text's expanded statements. */
export function tableLocksOf(treatments: readonly Treatment[]): readonly string[] {
  return treatments.flatMap((treatment) =>
    treatment.kind === 'cascade' ? (treatment.tableLocks ?? []) : [],
  );
}

/** What locks the rows, of those whose rows are locked before the first attempt. */
export function firstLocksOf(treatments: readonly Treatment[]): readonly Locks[] {
  return locksOf(treatments).filter(({ isFirst }) => isFirst);
}

/** Whether the execution of a text that is one expanded statement may have to be repeated. */
export function mayRepeat(treatments: readonly Treatment[]): boolean {
  const plan = planOf(treatments);
  return plan !== undefined && (hasEnforcedKeys(plan) || isSuspecting(treatments));
}

/** Whether the server enforces a key that the plan follows, and may refuse where PostgreSQL would have cascaded. */
export function hasEnforcedKeys(plan: Plan): boolean {
  return plan.keys.some(({ enforcedByServer }) => enforcedByServer);
}

/** How many attempts are made at most: each of them needs another transaction that does something at the wrong moment. */
export const MOST_ATTEMPTS = 5;

/** The savepoint that the proxy sets in a transaction of the client's: a name that the client does not use. */
export const SAVEPOINT = `pgcascade_${Math.random().toString(36).slice(2, 10)}`;
