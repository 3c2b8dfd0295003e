/** The steps that find and lock the rows, from the client's own down, level by level, and give their keys. */
import { type Deletion, grouped, type Plan } from '../../plan/plan.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { ownName } from '../own-names.js';
import { MOST_BYTES } from '../sequence-limits.js';
import { renderDeletions } from '../single/actions/deletions.js';
import { columnName, cteName, tableOf } from '../single/actions/rows.js';
import { depthsOf } from '../single/levels.js';
import { meaningHolds } from '../single/meaning.js';
import { addedColumns, type Root, rootHeader, spliceNamed } from '../single/root.js';
import { insertion, type Spliced } from '../splice.js';
import { FAIL_KEYS_TOO_LARGE } from '../violations.js';
import { isHeld } from './identified.js';
import { type Collecting, parametersOf, stepOf } from './step.js';

/**
 * The client's DELETE as a SELECT that locks the rows it would delete, and gives their keys in one row of arrays:
 *
 *     WITH pgc_0 (pgc_c0) AS (
 *     SELECT users.id FROM users WHERE id = 1
 *     FOR UPDATE OF users
 *     )
 *     SELECT a.* FROM (SELECT coalesce(array_agg(l.pgc_c0), '{}') FROM pgc_0 AS l) AS a (pgc_c0)
 *     WHERE CASE WHEN 'users'::regclass::oid = 16385 THEN true ELSE concat('pgcascade/…/relationChanged')::int4 = 0 END
 *       AND CASE WHEN pg_column_size(a.pgc_c0) <= 67108864 THEN true ELSE concat('pgcascade/…/keysTooLarge')::int4 = 0 END
 *
 * A row that USING joins several times is there as often, in the order in which the server finds the rows.
 *
 * @param most rows; all where it is undefined
 */
export function collectRoots(text: string, statement: DeletingStatement, root: Root, most?: number): Spliced {
  const { selection, start, end, hasWith } = statement;
  if (!selection) throw new Error('no SELECT can be put in the place of the statement');
  const rows = cteName(root.deletion.id);
  const arrays = root.deletion.returns.map((_, i) => arrayOf(i));
  const names = root.deletion.returns.map((_, i) => columnName(i));
  const collected = `(SELECT ${arrays.join(', ')} FROM ${rows} AS l) AS a (${names.join(', ')})`;
  const sizes = names.map((name) => `a.${name}`);
  const edits = [
    insertion(start, `${hasWith ? ', ' : 'WITH '}${rootHeader(root)}\n`),
    { ...selection.verb, sql: `SELECT ${addedColumns(root).join(', ')}` },
    ...(selection.using ? [{ ...selection.using, sql: ',' }] : []),
    {
      start: selection.end,
      end,
      sql:
        `${most === undefined ? '' : `\nLIMIT ${most}`}\nFOR UPDATE OF ${calledAs(root)}\n)\nSELECT a.* FROM ${collected}` +
        `\nWHERE ${meaningHolds(root)}\n AND ${fits(sizes, String(MOST_BYTES))}`,
    },
  ];
  return spliceNamed(text.slice(0, end), edits, [root]);
}

/**
 * The same with the client's own RETURNING, which is evaluated here, while all rows that it may read are there. Each row has the keys
 * before the client's columns, in one column that is the same in both formats: of each key the type of an array of it, and
 * that array with one element as its send function gives it, in hexadecimal.
 *
 *     SELECT CASE WHEN CASE WHEN 'users'::regclass::oid = 16385 THEN true ELSE … END
 *       THEN concat_ws(' ', pg_typeof(ARRAY[users.id])::oid, encode(array_send(ARRAY[users.id]), 'hex')) END, name
 *     FROM users WHERE id = 1
 *     FOR UPDATE OF users
 */
export function collectReturning(text: string, statement: DeletingStatement, root: Root): Spliced {
  const { selection, end } = statement;
  const { returning, end: listEnd } = root.site;
  if (!selection || !returning) throw new Error('the statement has no RETURNING that a SELECT can give');
  const keys = addedColumns(root).flatMap((column) => [
    `pg_catalog.pg_typeof(ARRAY[${column}])::pg_catalog.oid`,
    `pg_catalog.encode(pg_catalog.array_send(ARRAY[${column}]), 'hex')`,
  ]);
  const list = text.slice(returning.list, listEnd);
  const edits = [
    {
      ...selection.verb,
      sql: `SELECT CASE WHEN ${meaningHolds(root)} THEN pg_catalog.concat_ws(' ', ${keys.join(', ')}) END, ${list}\n`,
    },
    { start: selection.end, end, sql: `\nFOR UPDATE OF ${calledAs(root)}` },
  ];
  return spliceNamed(text.slice(0, end), edits, [root]);
}

/** Gives no row, but describes the arrays of the keys: what has no row has told no types. `SELECT ARRAY[r.id] FROM ONLY users AS r WHERE false` */
export function describeKeys(plan: Plan, { relation, returns, id }: Deletion): Collecting {
  const arrays = returns.map((column) => `ARRAY[r.${quoteName(column)}]`);
  return {
    ...stepOf(plan, `SELECT ${arrays.join(', ')} FROM ${tableOf(relation)} AS r WHERE false`),
    collects: [id],
  };
}

/** `users`: as the rows that the client deletes from are called where they are locked. */
function calledAs({ site: { alias }, target: { relation } }: Root): string {
  return alias === quoteRelation(relation) ? quoteName(relation.name) : alias;
}

/** `coalesce(array_agg(l.pgc_c0), '{}')` */
export function arrayOf(column: number): string {
  return `coalesce(pg_catalog.array_agg(l.${columnName(column)}), '{}')`;
}

/**
 * A SELECT of arrays, which fails where they are larger than what the proxy holds:
 *
 *     SELECT a.* FROM (SELECT …) AS a (pgc_a0, pgc_a1) WHERE CASE WHEN pg_column_size(a.pgc_a1) <= 67108864 THEN true ELSE … END
 *
 * @param flags how many columns before the arrays are none
 */
export function bounded(select: string, arrays: number, flags = 0): string {
  const names = Array.from({ length: flags + arrays }, (_, i) => ownName(`a${i}`));
  const sizes = names.slice(flags).map((name) => `a.${name}`);
  return `SELECT a.* FROM (${select}) AS a (${names.join(', ')})\nWHERE ${fits(sizes, String(MOST_BYTES))}`;
}

/** A condition: the arrays are no larger than this, or the step fails. */
function fits(arrays: readonly string[], most: string): string {
  const sizes = arrays.map((array) => `pg_catalog.pg_column_size(${array})::pg_catalog.int8`);
  return (
    `CASE WHEN ${sizes.join(' OPERATOR(pg_catalog.+) ')} OPERATOR(pg_catalog.<=) ${most}` +
    ` THEN true ELSE ${FAIL_KEYS_TOO_LARGE} OPERATOR(pg_catalog.=) 0 END`
  );
}

/**
 * The steps below the client's rows: those of one level are sent together. Of the posts of the users that are deleted:
 *
 *     WITH pgc_0 (pgc_c0) AS (SELECT u.* FROM ROWS FROM (unnest($1)) AS u),
 *     pgc_1 (pgc_c0) AS (SELECT r.id FROM ONLY posts AS r WHERE r.author = ANY (ARRAY(SELECT d.pgc_c0 FROM pgc_0 AS d)) FOR UPDATE)
 *     SELECT a.* FROM (SELECT * FROM (SELECT coalesce(array_agg(l.pgc_c0), '{}') FROM pgc_1 AS l) AS l1) AS a (pgc_a0)
 *     WHERE CASE WHEN pg_column_size(a.pgc_a0) <= $2::int8 THEN true ELSE concat('pgcascade/…/keysTooLarge')::int4 = 0 END
 *
 * The deletions of a cycle are one step. The parameter after the keys is the number of bytes that may still be held.
 */
export function collectBelow(plan: Plan): readonly (readonly Collecting[])[] {
  const depths = depthsOf(plan);
  const below = plan.deletions.filter((deletion) => deletion.origin === 'key' && isHeld(deletion));
  const levels = grouped(below, ({ id }) => depths[id] ?? 0);
  return [...levels]
    .sort(([one], [other]) => one - other)
    .map(([, level]) => {
      const together = grouped(level, ({ id, cycle }) => (cycle === undefined ? `${id}` : `cycle ${cycle}`));
      return [...together.values()].map((each) =>
        collect(
          plan,
          each.map(({ id }) => id),
        ),
      );
    });
}

function collect(plan: Plan, ids: readonly number[]): Collecting {
  const deletions = ids.flatMap((id) => plan.deletions[id] ?? []);
  const ctes = renderDeletions(plan, ({ id }) => (ids.includes(id) ? 'lock' : 'nothing'));
  const rows = deletions.map(({ id, returns }) => {
    const arrays = returns.map((_, i) => arrayOf(i));
    return `(SELECT ${arrays.join(', ')} FROM ${cteName(id)} AS l) AS l${id}`;
  });
  const names = deletions.flatMap(({ returns }) => returns).map((_, i) => ownName(`a${i}`));
  const from = `(SELECT * FROM ${rows.join(' CROSS JOIN ')}) AS a (${names.join(', ')})`;
  const sizes = names.map((name) => `a.${name}`);
  const { held } = stepOf(plan, '', ctes);
  const room = `$${parametersOf(plan, held) + 1}::pg_catalog.int8`;
  return { ...stepOf(plan, `SELECT a.* FROM ${from}\nWHERE ${fits(sizes, room)}`, ctes), collects: ids };
}
