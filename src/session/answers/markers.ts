/**
 * Tells whether an expanded statement has stopped itself, or an error only looks like that: a function or another session that reads
 * the statement's text, by current_query() or in pg_stat_activity, can raise the same message.
 */
import { randomBytes } from 'node:crypto';
import { MARKER, MARKER_SQLSTATE, type Marker, readMarker } from '../../render/violations.js';
import { suspects } from '../../rewrite/statement/program.js';
import {
  type CascadeTreatment,
  expandedOf,
  type GuardTreatment,
  guardChecksOf,
  type Treatment,
} from '../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../rewrite/text.js';
import { type ErrorFields, Field } from '../../wire/backend.js';

/** The rewrite with a marker of its own, for one sending of it: a marker that was read in the text of an earlier sending is worth nothing. */
export function sealed(rewrite: Rewrite): Rewrite {
  return rewrite.changed ? { ...rewrite, marker: `pgcascade/${randomBytes(5).toString('hex')}/` } : rewrite;
}

/** The text to send. Its marker is as long as the one that it replaces, so positions in the text stay what they are. */
export function sentText({ sql, marker }: Rewrite): string {
  return marker === undefined ? sql : sql.replaceAll(MARKER, marker);
}

/** As Rewrite.leftPrepared, with the names that were sent. */
export function leftBy({ leftPrepared = [], marker = MARKER }: Rewrite): readonly string[] {
  return leftPrepared.map((name) => name.replaceAll(MARKER, marker));
}

/**
 * @param resolved the names in the statement were resolved anew and mean what they meant, so that the marker `relationChanged` is not the statement's
 * @returns the marker by which the statement has stopped itself; undefined where the error is the client's own
 */
export function markerOf(
  fields: ErrorFields,
  treatment: Treatment | undefined,
  { text, marker: sent = MARKER }: Rewrite,
  resolved: boolean,
): Marker | undefined {
  if (fields.get(Field.code) !== MARKER_SQLSTATE) return undefined;
  const own = expandedOf(treatment)?.marker ?? sent;
  if (treatment?.kind === 'refused') return readMarker(fields.get(Field.message) ?? '', own);
  if (!expandedOf(treatment) || text.includes(own) || !isOfTheStatement(fields)) return undefined;
  const marker = readMarker(fields.get(Field.message) ?? '', own);
  if (treatment?.kind === 'guarded') return guardMarker(marker, treatment);
  if (treatment?.kind !== 'cascade') return undefined;
  switch (marker?.kind) {
    case 'refused':
      return undefined;
    case 'relationChanged':
      return resolved ? undefined : marker;
    case 'ruleSuspected':
      return suspects(treatment.program) || treatment.program.kind === 'paged' ? marker : undefined;
    case 'keysTooLarge':
      return treatment.program.kind !== 'single' ? marker : undefined;
    case 'rowKept':
      return looksForKeptRows(treatment) ? marker : undefined;
    case 'check': {
      const isOfPlan = treatment.plan.checks[marker.check] !== undefined && !suspects(treatment.program);
      return isOfPlan || guardChecksOf(treatment).checks[marker.check] ? marker : undefined;
    }
    case undefined:
      return undefined;
    default:
      return marker satisfies never;
  }
}

/** Whether a statement looks for rows that a trigger has kept: in batches also for such as are only changed, whatever triggers there are. */
function looksForKeptRows({ plan, program }: CascadeTreatment): boolean {
  const isPaged = program.kind === 'paged';
  const mayKeep = plan.deletions.some(
    ({ cycle, relation }) => (isPaged || cycle !== undefined) && relation.mayKeepRows,
  );
  return mayKeep || (isPaged && plan.keys.some(({ action }) => action === 'set null'));
}

/** @returns the marker, where a guarded statement can raise it */
function guardMarker(marker: Marker | undefined, { checks }: GuardTreatment): Marker | undefined {
  if (marker?.kind === 'check') return checks[marker.check] && marker;
  return marker?.kind === 'relationChanged' ? marker : undefined;
}

/**
 * Whether an error was raised by the statement itself. One that is raised in a function or a trigger has a context, and one that is raised
 * while the statement is parsed a position. The statement itself has at most the line about its parameters (log_parameter_max_length_on_error; postgres.c,
 * bind_param_error_callback): `unnamed portal with parameters: $1 = '1'`, the words in the server's language.
 */
function isOfTheStatement(fields: ErrorFields): boolean {
  const context = fields.get(Field.context) ?? '';
  const isAtEvaluation = ![Field.position, Field.internalPosition, Field.internalQuery].some((each) =>
    fields.has(each),
  );
  return isAtEvaluation && (context === '' || /^[^"\n]*(?:"[^\n]*")?[^"\n]*: \$1 = /.test(context));
}
