/**
 * A statement that looks at the keys which the client's INSERT, UPDATE or MERGE writes: what each references is locked FOR KEY
 * SHARE, as RI_FKey_check in ri_triggers.c does. The client's own statement, its text untouched, becomes a CTE.
 */
import type { ForeignKey } from '../../graph/model.js';
import type { GuardedKey, RowsOf } from '../../plan/guard.js';
import { quoteName } from '../../sql/names.js';
import type { WriteSite, WritingQuery } from '../../sql/statement/statement.js';
import { withOwnNames } from '../own-names.js';
import { equals } from '../single/actions/match.js';
import { columnName, tableOf } from '../single/actions/rows.js';
import { stillMeans } from '../single/meaning.js';
import type { ResultShape } from '../single/render.js';
import { type Edit, insertion, type Spliced, splice } from '../splice.js';
import { checkMarker } from '../violations.js';
import type { GuardCheck } from './guard-checks.js';
import { type Guarded, keepsKey, Returned } from './guarded.js';
import type { FollowUp } from './left-statements.js';
import { changesOf } from './on-update.js';

export type NewKeyCheck = GuardedKey & { readonly kind: 'new key' | 'mixed key' };

/** Where a condition on a row finds its columns. */
export type RowColumns = Pick<Returned, 'name' | 'of' | 'changed' | 'tells'>;

/** Rows that the statement writes and a key may reference. */
export interface OwnRows {
  readonly columns: Returned;
  readonly within: RowsOf;
}

/** What is sent in the place of the client's statement, and what becomes of its answers. */
export interface RenderedGuard extends Spliced {
  readonly shape: ResultShape;
  readonly checks: readonly GuardCheck[];
  /** Statements that have to be executed after it: their errors are those of the client's statement. */
  readonly followUps?: readonly FollowUp[];
}

/**
 * A statement that writes at one place, and not in a WITH:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     INSERT INTO posts (author) VALUES (1)
 *     RETURNING posts.author
 *     )
 *     SELECT 1 FROM pgc_0 AS n
 *     WHERE CASE WHEN 'posts'::regclass::oid = 16390 THEN true ELSE concat('pgcascade/…/relationChanged')::int4 = 0 END
 *      AND CASE WHEN … (unreferenced) THEN format('pgcascade/…/0/%s/(%s)', 16390, n.pgc_c0)::int4 IS NULL ELSE true END
 *
 * A condition fails for a row that breaks a rule, else it is true.
 */
export function renderGuarded(
  text: string,
  { start, hasWith }: WritingQuery,
  guarded: Guarded,
): RenderedGuard {
  const { site, keys } = guarded;
  const columns = new Returned(guarded, 0);
  const changes = changesOf(guarded, columns);
  const written = checksOf(keys);
  const checks = [...changes.checks, ...written];
  const cases = [
    ...changes.cases,
    ...written.map((check, i) =>
      breaks(
        check,
        changes.checks.length + i,
        columns,
        guarded,
        check.own ? [{ columns, within: check.own }] : [],
        keepsKey(check.key, guarded, columns),
      ),
    ),
  ];
  const atOnce = changes.cases.length + written.filter(({ key }) => !key.deferred).length;
  const conditions = [
    ...conditionsOf(cases.slice(0, atOnce), cases.slice(atOnce), site, columns),
    ...changes.handsOn,
  ];
  const returned = columns.expressions;
  const names = returned.map((_, i) => columnName(i)).join(', ');
  const list = site.returning?.list;
  // Where one row is written, a row of the result tells so: to count it costs more.
  const count = site.isOneRow ? '1' : 'pg_catalog.count(*)';
  const edits: readonly Edit[] = [
    insertion(start, `${hasWith ? ', ' : 'WITH '}${columns.rows} (${names}) AS (\n`),
    returningEdit(site, columns),
    insertion(
      site.end,
      `\n)\nSELECT ${list === undefined ? count : 'n.*'} FROM ${columns.rows} AS n\nWHERE ${[stillMeans(site.write.target, guarded.target.named), ...conditions].join('\n AND ')}`,
    ),
  ];
  return {
    ...spliceNamed(text, edits, [guarded]),
    shape: shapeOf(site, returned.length),
    checks,
    followUps: changes.followUps,
  };
}

/** Splices, and gives the proxy's CTEs and columns names that nothing in the statement has. */
export function spliceNamed(text: string, edits: readonly Edit[], parts: readonly Guarded[]): Spliced {
  const { columns, isOpen } = namesOf(parts);
  return splice(text, withOwnNames(text, edits, columns, isOpen));
}

/** The names that columns of the statement may have; isOpen: it may have others. */
export function namesOf(parts: readonly Guarded[]): {
  readonly columns: readonly string[];
  readonly isOpen: boolean;
} {
  const columns = parts.flatMap(({ target: { named, relation } }) =>
    [...named.columns, ...relation.columns].map(({ name }) => name),
  );
  // The columns of what it joins are not known.
  const isOpen = parts.some(
    ({ site: { returning } }) => returning !== undefined && returning.names === undefined,
  );
  return { columns, isOpen };
}

/** @param added how many columns of the proxy's own stand before those of its RETURNING */
export function shapeOf({ returning, write: { command } }: WriteSite, added: number): ResultShape {
  const tag = command === 'INSERT' ? 'INSERT 0' : command;
  return returning === undefined ? { kind: 'count', command: tag } : { kind: 'rows', command: tag, added };
}

/** The columns that the proxy needs of the rows: before those of the client's RETURNING, or as a RETURNING of its own. */
export function returningEdit({ end, returning }: WriteSite, { expressions, options }: Returned): Edit {
  const columns = `${options}${expressions.join(', ')}`;
  return returning === undefined
    ? insertion(end, `\nRETURNING ${columns}`)
    : insertion(returning.list, `${columns}, `);
}

/** The conditions of all keys: those of deferred keys come last. */
export function checksOf(keys: readonly GuardedKey[]): readonly NewKeyCheck[] {
  const [atOnce, deferred] = [
    keys.filter(({ key }) => !key.deferred),
    keys.filter(({ key }) => key.deferred),
  ];
  return [...atOnce, ...deferred].flatMap((each): NewKeyCheck[] => [
    ...(each.key.matchFull && each.key.columns.length > 1 ? [{ ...each, kind: 'mixed key' } as const] : []),
    { ...each, kind: 'new key' },
  ]);
}

/**
 * `CASE WHEN … ELSE true END`; of several rows all are checked at once before any is for a deferred key:
 *
 *     (SELECT count(*) FROM pgc_0 AS n WHERE (SELECT count(*) FROM pgc_0) >= 0 AND CASE WHEN … ELSE true END) >= 0
 *     AND CASE WHEN … (deferred) ELSE true END
 *
 * @param atOnce the cases of keys that are not deferred
 */
function conditionsOf(
  atOnce: readonly string[],
  deferred: readonly string[],
  site: WriteSite,
  columns: Returned,
): readonly string[] {
  const written = site.isOneRow ? [] : [allWritten(columns)];
  if (site.isOneRow || atOnce.length === 0 || deferred.length === 0)
    return [...written, caseOf([...atOnce, ...deferred])];
  const before = [...written, caseOf(atOnce)].join('\n AND ');
  return [
    `(SELECT pg_catalog.count(*) FROM ${columns.rows} AS n\nWHERE ${before}) OPERATOR(pg_catalog.>=) 0`,
    caseOf(deferred),
  ];
}

/** `CASE WHEN … ELSE true END` */
export function caseOf(cases: readonly string[]): string {
  return `CASE ${cases.join('\n ')} ELSE true END`;
}

/** Of what writes a row that breaks a rule. */
type BrokenBy = Pick<Guarded, 'level'> & { readonly target: Pick<Guarded['target'], 'relation'> };

/**
 * `WHEN n.pgc_c0 IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY users AS p WHERE p.id = n.pgc_c0 FOR KEY SHARE OF p) THEN (marker)`.
 * Where a referenced row cannot be locked any more, though this statement sees it, it was deleted or changed meanwhile. Where keys
 * are only locked, there is one more condition: a key that references nothing in sight passes.
 * @param own what the statement writes itself, and the key may reference
 * @param also further conditions for a row to be looked at
 */
export function breaks(
  { kind, key, within }: NewKeyCheck,
  place: number,
  columns: RowColumns,
  { target: { relation }, level }: BrokenBy,
  own: readonly OwnRows[],
  also: readonly string[] = [],
): string {
  const nulls = key.columns.map(({ referencing }) => `${columns.of(referencing)} IS NULL`);
  const referenced = `FROM ${tableOf(key.referenced)} AS p WHERE ${equals(key, 'p', quoteName, 'n', columns.name)}`;
  const rule =
    kind === 'mixed key'
      ? [`(${nulls.join(' OR ')})`, `NOT (${nulls.join(' AND ')})`]
      : [
          ...key.columns.map(({ referencing }) => `${columns.of(referencing)} IS NOT NULL`),
          `NOT EXISTS (SELECT ${referenced} FOR KEY SHARE OF p)`,
          ...(level === 'lock' ? [`EXISTS (SELECT ${referenced})`] : []),
          ...own.map((each) => `NOT ${isAmongWritten(key, each, columns)}`),
        ];
  const conditions = [...isWithin('n', within, columns), ...columns.changed(key), ...also, ...rule];
  const table = columns.tells ? columns.of('tableoid') : String(relation.oid);
  const values = key.columns.map(({ referencing }) => columns.of(referencing));
  return `WHEN ${conditions.join(' AND ')} THEN ${checkMarker(place, table, values)}::pg_catalog.int4 IS NULL`;
}

/**
 * `EXISTS (SELECT FROM pgc_0 AS s WHERE s.pgc_c1 = n.pgc_c0)`: the same statement has written what a key references. It holds that
 * row already, and cannot lock it a second time.
 */
function isAmongWritten(key: ForeignKey, own: OwnRows, columns: RowColumns): string {
  const conditions = [
    equals(key, 's', own.columns.name, 'n', columns.name),
    ...isWithin('s', own.within, own.columns),
  ];
  return `EXISTS (SELECT FROM ${own.columns.rows} AS s WHERE ${conditions.join(' AND ')})`;
}

/** `n.pgc_c2 = ANY (ARRAY[16390]::oid[])` */
export function isWithin(row: string, oids: RowsOf, columns: RowColumns): readonly string[] {
  if (oids === 'all') return [];
  const tableoid = `${row}.${columns.name('tableoid')}`;
  return [`${tableoid} OPERATOR(pg_catalog.=) ANY (ARRAY[${oids.join(', ')}]::pg_catalog.oid[])`];
}

/**
 * `(SELECT count(*) FROM pgc_0) >= 0`: all rows are written before the first one is looked at, so that an error of a later row
 * comes first, as natively.
 */
export function allWritten({ rows }: Pick<Returned, 'rows'>): string {
  return `(SELECT pg_catalog.count(*) FROM ${rows}) OPERATOR(pg_catalog.>=) 0`;
}
