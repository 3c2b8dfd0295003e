/**
 * How a statement stops itself: a text that starts with a marker is cast to int, which fails with 22P02 and the text in
 * its message. The server rolls its own work back; the proxy reads the marker and says what PostgreSQL would have said.
 */

import { randomBytes } from 'node:crypto';
import type { ForeignKey } from '../graph/model.js';
import type { NewKeyCheck, Plan } from '../plan/plan.js';
import type { Profile } from '../profiles/profile.js';
import { quoteLiteral } from '../sql/names.js';

/** What the server must have said for its message to be a marker: invalid_text_representation. */
export const MARKER_SQLSTATE = '22P02';
/** What all markers begin with in a text that is not sent yet; each sending of it puts another in its place (markers.ts). */
export const MARKER = `pgcascade/${randomBytes(5).toString('hex')}/`;

/** The kinds of markers that say nothing but their kind: it is their text. */
const STOPPED = ['keysTooLarge', 'refused', 'relationChanged', 'rowKept', 'ruleSuspected'] as const;

/** A marker found in an error's message. */
export type Marker =
  | { readonly kind: (typeof STOPPED)[number] }
  | {
      readonly kind: 'check';
      readonly check: number;
      /** The object id of the table that the referenced row was in, or the changed one is; or 0. */
      readonly table: number;
      readonly values: string;
    };

/** The fields of the native error (ri_ReportViolation in ri_triggers.c, ExecConstraints in execMain.c). */
export interface Violation {
  readonly kind: 'violation';
  readonly code: string;
  readonly message: string;
  readonly detail: string;
  readonly schema: string;
  readonly table: string;
  readonly constraint?: string;
  readonly column?: string;
}

/** `SELECT 'pgcascade/…/refused'::int4`: fails as soon as the server analyses it. It is sent in place of a refused statement. */
export const FAIL_REFUSED = `SELECT '${MARKER}refused'::pg_catalog.int4`;

/** The same on any server, whatever its casts are. */
export const FAIL_ANYWHERE = 'pgcascade refuses this statement';

/** An expression that fails when it is evaluated, and only then (the planner does not fold concat into a constant). */
export const FAIL_RELATION_CHANGED = `pg_catalog.concat('${MARKER}relationChanged')::pg_catalog.int4`;

/** The same where a rule may be broken. To find out whether one is takes a statement that costs more. */
export const FAIL_SUSPICION = `pg_catalog.concat('${MARKER}ruleSuspected')::pg_catalog.int4`;

/** The same for a row that a trigger has kept, though what depends on it was found or deleted before. */
export const FAIL_ROW_KEPT = `pg_catalog.concat('${MARKER}rowKept')::pg_catalog.int4`;

/** The same where the proxy would have to hold more keys than it may. */
export const FAIL_KEYS_TOO_LARGE = `pg_catalog.concat('${MARKER}keysTooLarge')::pg_catalog.int4`;

/**
 * An expression for the marker of a check: `pgcascade/…/2/16385/(1, x)`, the key's values as their output functions say.
 * @param table an expression for the object id of the table that the referenced row was in
 */
export function checkMarker(check: number, table: string, values: readonly string[]): string {
  const places = values.map(() => '%s').join(', ');
  return `pg_catalog.format(${quoteLiteral(`${MARKER}${check}/%s/(${places})`)}, ${[table, ...values].join(', ')})`;
}

/**
 * @param message of an error with SQLSTATE 22P02, in whatever language the server speaks: `invalid input syntax for type
 * integer: "pgcascade/…/relationChanged"`. It must be all of what was cast: a text that only quotes the statement is none.
 * @param own what markers begin with in the statement that failed
 */
export function readMarker(message: string, own: string): Marker | undefined {
  const at = message.indexOf(own);
  if (at < 0 || /[(\n]/.test(message.slice(0, at))) return undefined;
  const text = message.slice(at + own.length);
  const [word] = /^[a-z]*/i.exec(text) ?? [];
  const kind = STOPPED.find((each) => each === word);
  if (kind) return { kind };
  const [check, table] = text.split('/', 2);
  const values = text.slice(`${check}/${table}/`.length, text.lastIndexOf(')') + 1);
  return { kind: 'check', check: Number(check), table: Number(table), values };
}

/** The proxy's own error for a row of which the statement cannot tell what becomes. */
export interface Doubt {
  readonly kind: 'doubt';
  readonly error:
    | 'PGC_OVERLAP'
    | 'PGC_REFERENCED_SET'
    | 'PGC_GUARD_DELETED'
    | 'PGC_GUARD_REFERENCED'
    | 'PGC_GUARD_SNAPSHOT';
  readonly key: string;
  /** Another key, where the error names one. */
  readonly other: string;
}

/**
 * What a marker of a check means for the client: the fields of PostgreSQL's own error, or the proxy's.
 * @param profile of the server that the statement was sent to
 * @returns undefined where the plan has no such check, or the check has no error
 */
export function violation(
  plan: Plan,
  marker: Marker & { kind: 'check' },
  profile: Profile,
): Violation | Doubt | undefined {
  const check = plan.checks[marker.check];
  if (check === undefined) return undefined;
  const { key } = check;
  const own = plan.names.get(marker.table) ?? key.referencing.name;
  switch (check.kind) {
    case 'order':
      return undefined;
    case 'overlap':
      return { kind: 'doubt', error: 'PGC_OVERLAP', key: key.name, other: check.other.name };
    case 'referenced':
      return { kind: 'doubt', error: 'PGC_REFERENCED_SET', key: key.name, other: check.other.name };
    case 'not null':
      return {
        kind: 'violation',
        code: '23502',
        message: `null value in column "${check.column}" of relation "${own}" violates not-null constraint`,
        detail: `Failing row contains ${marker.values}.`,
        schema: key.referencing.schema,
        table: own,
        column: check.column,
      };
    case 'new key':
    case 'mixed key':
      return newKeyViolation(check, { schema: key.referencing.schema, name: own }, marker.values);
    case 'same key':
    case 'rows':
      return stillReferenced(key, key.action, plan.names.get(marker.table), marker, profile);
    default:
      return check satisfies never;
  }
}

/**
 * What PostgreSQL says of a key that references nothing, or is null in part.
 * @param table what the row is in
 * @param values the key's, in parentheses
 */
export function newKeyViolation(
  { kind, key }: { readonly kind: NewKeyCheck['kind']; readonly key: ForeignKey },
  table: { readonly schema: string; readonly name: string },
  values: string,
): Violation {
  return {
    kind: 'violation',
    code: '23503',
    message: `insert or update on table "${table.name}" violates foreign key constraint "${key.name}"`,
    detail:
      kind === 'mixed key'
        ? 'MATCH FULL does not allow mixing of null and nonnull key values.'
        : `Key (${columns(key, 'referencing')})=${values} is not present in table "${key.referenced.name}".`,
    schema: table.schema,
    table: table.name,
    constraint: key.name,
  };
}

/**
 * What PostgreSQL says of a row that is still referenced, and is deleted or leaves its key.
 * @param action what the key says to that
 * @param table what the row is, or was, in
 */
export function stillReferenced(
  key: ForeignKey,
  action: ForeignKey['action'],
  table: string | undefined,
  marker: Marker & { kind: 'check' },
  profile: Profile,
): Violation {
  const restricted = action === 'restrict' && profile.can.reportRestrict;
  // A partition has a copy of the key, with a name of its own.
  const referenced = table ?? key.referenced.name;
  const constraint = key.copies.find(({ referenced }) => referenced === marker.table)?.name ?? key.name;
  return {
    kind: 'violation',
    code: restricted ? '23001' : '23503',
    message:
      `update or delete on table "${referenced}" violates ` +
      `${restricted ? 'RESTRICT setting of ' : ''}foreign key constraint "${constraint}" on table "${key.referencing.name}"`,
    detail:
      `Key (${columns(key, 'referenced')})=${marker.values} is ` +
      `${restricted ? '' : 'still '}referenced from table "${key.referencing.name}".`,
    schema: key.referencing.schema,
    table: key.referencing.name,
    constraint,
  };
}

function columns(key: ForeignKey, side: 'referencing' | 'referenced'): string {
  return key.columns.map((column) => column[side]).join(', ');
}
