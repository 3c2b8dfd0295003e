/** Scripts for the program psql. */
import { quoteLiteral, quoteName, quoteRelation } from '../../sql/names.js';
import { type Arm, deleteFrom, type ScriptDialect } from './script-dialect.js';
import type { Rule } from './step.js';

/** The tables are locked against writers: nothing comes or goes between what is collected and what is deleted. */
export const postgresql: ScriptDialect = {
  program: 'psql',
  quote: quoteName,
  table: quoteRelation,
  reopens: true,
  typesNulls: true,
  createsInside: true,
  head: () => ['\\set ON_ERROR_STOP on'],
  begin: ({ tables }) => ['BEGIN;', `LOCK TABLE ${tables.join(', ')} IN SHARE ROW EXCLUSIVE MODE;`],
  end: ['COMMIT;'],
  create: (name, select) => [`CREATE TEMP TABLE ${quoteName(name)} ON COMMIT DROP AS ${select};`],
  prepareRules: () => [],
  fail,
  closure,
  together,
};

/** DO $pgc$ BEGIN IF EXISTS (SELECT …) THEN RAISE EXCEPTION …; END IF; END $pgc$ */
function fail({ name, message, broken }: Rule): string {
  const body = `BEGIN IF EXISTS (${broken}) THEN RAISE EXCEPTION USING ERRCODE = '23503', MESSAGE = ${quoteLiteral(`${name}: ${message}`)}; END IF; END`;
  return body.includes('$pgc$') ? `DO ${quoteLiteral(body)};` : `DO $pgc$ ${body} $pgc$;`;
}

/**
 * Only one arm of a recursive query may read what was reached: so all keys are one arm.
 *
 *     WITH RECURSIVE reached AS (
 *       SELECT * FROM pgc_cycle_1
 *       UNION
 *       SELECT n.* FROM reached AS p CROSS JOIN LATERAL (SELECT c.id FROM tree AS c WHERE c.parent = p.id UNION ALL …) AS n)
 *     SELECT * FROM reached
 */
function closure(seeds: string, arms: readonly Arm[]): string {
  const selects = arms.map(
    ({ columns, from, condition }) => `    SELECT ${columns.join(', ')} FROM ${from} WHERE ${condition}`,
  );
  return [
    `WITH RECURSIVE reached AS (\n  SELECT * FROM ${seeds}`,
    '  UNION',
    '  SELECT n.* FROM reached AS p CROSS JOIN LATERAL (',
    selects.join('\n    UNION ALL\n'),
    '  ) AS n',
    ')\nSELECT * FROM reached',
  ].join('\n');
}

/**
 * In one statement, as a key that the server enforces is checked at its end.
 *
 *     WITH d1 AS (DELETE FROM a WHERE …) DELETE FROM b WHERE …
 */
function together([last, ...others]: Parameters<ScriptDialect['together']>[0]): readonly string[] {
  if (last === undefined) return [];
  if (others.length === 0) return [deleteFrom(last)];
  const parts = others.map(
    ({ table, condition }, i) => `d${i + 1} AS (DELETE FROM ${table} WHERE ${condition})`,
  );
  return [`WITH ${parts.join(',\n  ')}\n${deleteFrom(last)}`];
}
