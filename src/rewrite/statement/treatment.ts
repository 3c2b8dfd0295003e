/** What becomes of the server's answers to one statement that is sent. */
import type { ProxyError } from '../../errors.js';
import type { Relation } from '../../graph/model.js';
import type { Steps } from '../../pace.js';
import type { Plan } from '../../plan/plan.js';
import type { GuardCheck } from '../../render/guard/guard-checks.js';
import type { FollowUp } from '../../render/guard/left-statements.js';
import type { ResultShape } from '../../render/single/render.js';
import type { Spliced } from '../../render/splice.js';
import type { RelationName } from '../../sql/names.js';
import { type PagedProgram, type Program, shapeIn } from './program.js';

export type Treatment =
  | { readonly kind: 'forward'; readonly atLimit?: AtLimit }
  /** A statement of the proxy's own: the client gets nothing of its answers. */
  | { readonly kind: 'swallow'; readonly source?: PreparedSource | undefined }
  /**
   * A statement of the proxy's own that undoes what an earlier one has set up. The client gets the CommandComplete of its own
   * statement when this one has ended, as the end of a transaction may come with that.
   */
  | { readonly kind: 'cleanUp' }
  /** A statement of the proxy's own that locks the rows of an expanded one after it, or the tables of their children: an error is that one's. */
  | { readonly kind: 'lock'; readonly cascade: CascadeTreatment }
  /**
   * A statement of the proxy's own that is executed after a guarded one, in the same string: it looks at what that has done, or carries
   * out ON UPDATE. Its error is that statement's, whose answers the client gets when this one has ended.
   */
  | { readonly kind: 'followUp'; readonly guarded: GuardTreatment; readonly counts: FollowUp['counts'] }
  | CascadeTreatment
  | GuardTreatment
  /** TRUNCATE … CASCADE, with the tables that were added to its list. */
  | { readonly kind: 'truncate'; readonly tables: readonly string[] }
  | { readonly kind: 'refused'; readonly error: ProxyError }
  | PrepareTreatment
  /** DEALLOCATE of one prepared statement, or of all: undefined. */
  | { readonly kind: 'release'; readonly name: string | undefined };

/**
 * What is done where a DELETE has reached a limit of the server's: it is done again in batches, or cannot be, for what stands against
 * it. Undefined in its place: the client gets the server's error as it is.
 */
export type AtLimit =
  | { readonly kind: 'batches'; readonly cascade: CascadeTreatment; readonly program: PagedProgram }
  | { readonly kind: 'none'; readonly what: string };

/** What was prepared: the server counts the positions of its errors in the text in which that came, whatever executes it. */
export interface PreparedSource extends Spliced {
  /** The client's own. */
  readonly text: string;
  /** How many characters stand before it in the texts of which it is a part: the client's, and what was sent. */
  readonly origin: { readonly client: number; readonly sent: number };
}

/** An expanded statement. */
export interface CascadeTreatment {
  readonly kind: 'cascade';
  readonly plan: Plan;
  /** Equal for statements that differ in their values alone; undefined where rows are not counted, or the text is long. */
  readonly fingerprint: string | undefined;
  /** `"public"."orgs"`, for errors. */
  readonly target: string;
  /** The command of the client's statement; undefined where only a WITH in it deletes. */
  readonly command: string | undefined;
  /** How it is carried out. */
  readonly program: Program;
  readonly atLimit?: AtLimit;
  /** A statement that locks the tables of the children before it; undefined where they are not to be locked. */
  readonly tableLocks: string | undefined;
  /** What its markers begin with, where it is executed by another text than the one that has prepared it. */
  readonly marker?: string | undefined;
  /** What an EXECUTE executes; it may have values, in which there are errors with positions in its own text. */
  readonly source?: ExecutedSource | undefined;
  /** What it writes beside its DELETEs, where that is looked at: the numbers in the markers go on after those of the plan. */
  readonly beside?: GuardChecks | undefined;
}

/** The checks of what is written beside DELETEs, as those of GuardTreatment. */
type GuardChecks = Pick<GuardTreatment, 'checks' | 'tables'>;

type ExecutedSource = PreparedSource & { readonly hasValues: boolean };

/** A statement that looks at the keys which it writes. */
export interface GuardTreatment {
  readonly kind: 'guarded';
  /** `"public"."posts"`, for errors. */
  readonly target: string;
  /** The command of the client's statement; undefined where only its WITH is looked at. */
  readonly command: string | undefined;
  readonly shape: ResultShape;
  /** What the numbers in its markers stand for. */
  readonly checks: readonly GuardCheck[];
  /** What has to be executed after it, in the same transaction. */
  readonly followUps: readonly FollowUp[];
  /** What is told where ON UPDATE has changed rows, and where the statement has failed; undefined where no row may leave a key. */
  readonly update?: { readonly table: Relation; readonly fingerprint: string | undefined } | undefined;
  /** What it may write rows into, by object ids, for errors. */
  readonly tables: ReadonlyMap<number, RelationName>;
  /** As CascadeTreatment.marker. */
  readonly marker?: string | undefined;
  /** As CascadeTreatment.source. */
  readonly source?: ExecutedSource | undefined;
}

/** What becomes of a statement in whose place another one is sent that gives other results. */
export function expandedOf(treatment: Treatment | undefined): CascadeTreatment | GuardTreatment | undefined {
  return treatment?.kind === 'cascade' || treatment?.kind === 'guarded' ? treatment : undefined;
}

/** What the answers to the statement that is sent look like, where that gives other results than the client's. */
export function shapeOf(treatment: CascadeTreatment | GuardTreatment): ResultShape;
export function shapeOf(treatment: Treatment | undefined): ResultShape | undefined;
export function shapeOf(treatment: Treatment | undefined): ResultShape | undefined {
  const expanded = expandedOf(treatment);
  return expanded?.kind === 'cascade' ? shapeIn(expanded.program) : expanded?.shape;
}

/** The checks of the keys that a statement writes, by the numbers in their markers. */
export function guardChecksOf(treatment: CascadeTreatment | GuardTreatment): {
  readonly checks: Readonly<Record<number, GuardCheck>>;
  readonly tables: GuardChecks['tables'];
} {
  if (treatment.kind === 'guarded') return { checks: { ...treatment.checks }, tables: treatment.tables };
  const { beside, plan } = treatment;
  const numbered = (beside?.checks ?? []).map((check, i) => [plan.checks.length + i, check] as const);
  return { checks: Object.fromEntries(numbered), tables: beside?.tables ?? new Map() };
}

/** What is done where a statement has reached a limit of the server's. */
export function atLimitOf(treatment: Treatment | undefined): AtLimit | undefined {
  if (treatment?.kind === 'lock') return treatment.cascade.atLimit;
  return treatment?.kind === 'cascade' || treatment?.kind === 'forward' ? treatment.atLimit : undefined;
}

/** The SQL of what has to be executed after a statement. */
export function followUpsOf(treatment: Treatment | undefined): readonly string[] {
  return treatment?.kind === 'guarded' ? treatment.followUps.map(({ sql }) => sql) : [];
}

/** Whether a statement that the text executes or prepares may leave keys by which others reference its rows. */
export function leavesKeys(treatment: Treatment): boolean {
  const executed = treatment.kind === 'prepare' ? treatment.executeTreatment : treatment;
  return executed.kind === 'guarded' && executed.update !== undefined;
}

/** PREPARE in SQL of a statement that may delete. */
export interface PrepareTreatment extends Spliced {
  readonly kind: 'prepare';
  readonly name: string;
  /** The client's statement, in whose place `sql` is sent. */
  readonly text: string;
  /** What becomes of the answers to its EXECUTE. */
  readonly executeTreatment: Treatment;
  readonly targets: readonly RelationName[];
  /** The proxy prepares it again, before an EXECUTE: the client gets nothing of the answer. */
  readonly again?: PreparedAgain;
}

export interface PreparedAgain {
  /** How many characters of what is sent for the EXECUTE stand before it. */
  readonly within: number;
  /** As PreparedSource.origin: where the client prepared it. */
  readonly client: number;
  /** Under a name of the proxy's own, which it drops at once. */
  readonly isTrial?: boolean;
}

/** The plans of what a text prepares and deletes. */
export function plansOf(treatments: readonly Treatment[]): readonly Plan[] {
  return treatments.flatMap((treatment) => {
    const executed = treatment.kind === 'prepare' ? treatment.executeTreatment : treatment;
    return executed.kind === 'cascade' ? [executed.plan] : [];
  });
}

/** A prepared statement that an EXECUTE names. */
export interface Executable {
  readonly targets: readonly RelationName[];
  /** What the server has under the name. */
  readonly sql: string;
  /** What becomes of the answers to its EXECUTE. */
  readonly executeTreatment: Treatment;
  /** Undefined where it is prepared in the same string as its EXECUTE. */
  readonly source?: PreparedSource | undefined;
  /** Expands the client's text as of now; undefined where the statement is prepared in the same string as its EXECUTE. */
  readonly replan: (() => Steps<Replanned>) | undefined;
}

/** What the client's text would be prepared as now. */
export interface Replanned {
  readonly sql: string;
  readonly treatment: Treatment;
  /** Why it should be refused, where the configuration passes it on. */
  readonly error: ProxyError | undefined;
}
