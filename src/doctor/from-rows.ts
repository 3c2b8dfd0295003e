/** What only the server can tell: the rows that are there, and what the role may do. */
import type { ForeignKey, Relation } from '../graph/model.js';
import type { Ask } from '../graph/watch/connection.js';
import { cascades, setsColumns } from '../plan/plan.js';
import { equals } from '../render/single/actions/match.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import type { Finding } from './finding.js';
import { describeKey } from './from-graph.js';

/** Orphans of one key are counted up to here. */
const MOST_ORPHANS = 1000;

/** A privilege that a cascade needs, as has_table_privilege names it. */
interface Need {
  readonly relation: Relation;
  readonly privilege: 'DELETE' | 'SELECT' | 'UPDATE';
  readonly column: string;
  readonly key: ForeignKey;
}

/**
 * Rows whose key names nothing, of the keys that the server does not enforce.
 * @throws the error of the system or of the server
 */
export async function orphanFindings(keys: readonly ForeignKey[], ask: Ask): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const key of keys) {
    if (key.enforced || key.period) continue;
    const finding = await orphansOf(key, ask);
    if (finding) found.push(finding);
  }
  return found;
}

async function orphansOf(key: ForeignKey, ask: Ask): Promise<Finding | undefined> {
  const [from, to] = [quoteRelation(key.referencing), quoteRelation(key.referenced)];
  try {
    const [[count] = []] = await ask(
      `SELECT pg_catalog.count(*)::pg_catalog.int4 FROM (SELECT ${orphansSql(key)} LIMIT ${MOST_ORPHANS}) AS orphans`,
    );
    if (!count) return undefined;
    const rows = count === 1 ? '1 row' : `${count}${count === MOST_ORPHANS ? ' or more' : ''} rows`;
    return {
      level: 'problem',
      check: 'orphans',
      text: `${rows} of ${from} ${count === 1 ? 'names' : 'name'} no row of ${to} (${describeKey(key)}).`,
      remedy: `Delete or mend: SELECT * ${orphansSql(key)};`,
    };
  } catch (error) {
    if (Object(error).code !== '42501') throw error;
    return {
      level: 'note',
      check: 'orphans',
      text: `Whether rows of ${from} name no row of ${to} cannot be seen: ${(error as Error).message}.`,
      remedy: null,
    };
  }
}

/**
 * The rows whose key names nothing, under MATCH SIMPLE or FULL:
 *
 *     FROM ONLY "shop"."items" AS r WHERE (r."order_id" IS NOT NULL) AND NOT EXISTS
 *       (SELECT FROM ONLY "shop"."orders" AS p WHERE p."id" OPERATOR(pg_catalog.=) r."order_id")
 */
function orphansSql(key: ForeignKey): string {
  const isSet = key.columns
    .map(({ referencing }) => `r.${quoteName(referencing)} IS NOT NULL`)
    .join(key.matchFull ? ' OR ' : ' AND ');
  const parent = `SELECT FROM ${holder(key.referenced)} AS p WHERE ${equals(key, 'p', quoteName, 'r')}`;
  return `FROM ${holder(key.referencing)} AS r WHERE (${isSet}) AND NOT EXISTS (${parent})`;
}

/** A foreign key is about a table's own rows, and about all partitions of a partitioned one. */
function holder(relation: Relation): string {
  return `${relation.kind === 'p' ? '' : 'ONLY '}${quoteRelation(relation)}`;
}

/**
 * What the role may not do and cascades need, as they are sent with the rights of whoever sends the DELETE.
 * @param role the one that asks, for the message
 * @throws the error of the system or of the server
 */
export async function rightFindings(
  keys: readonly ForeignKey[],
  role: string,
  ask: Ask,
): Promise<readonly Finding[]> {
  const needs = keys.flatMap(needsOf);
  if (needs.length === 0) return [];
  const rows = await ask(
    `SELECT CASE privilege WHEN 'DELETE' THEN pg_catalog.has_table_privilege(relation, privilege)
       ELSE pg_catalog.has_column_privilege(relation, name, privilege) END
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[]))
       WITH ORDINALITY AS need (relation, name, privilege, number) ORDER BY number`,
    [
      needs.map(({ relation }) => relation.oid),
      needs.map(({ column }) => column),
      needs.map(({ privilege }) => privilege),
    ],
  );
  const lacking = new Map<string, Finding>();
  for (const [index, { relation, privilege, key }] of needs.entries()) {
    if (rows[index]?.[0] !== false) continue;
    const table = quoteRelation(relation);
    lacking.set(`${privilege} ${table}`, {
      level: 'note',
      check: 'rights',
      text: `The role ${quoteName(role)} lacks ${privilege} on ${table}, which the key ${describeKey(key)} needs: its DELETE from ${quoteRelation(key.referenced)} fails with 42501.`,
      remedy: `GRANT ${privilege} ON ${table} TO ${quoteName(role)}; or connect as the role of the application.`,
    });
  }
  return [...lacking.values()];
}

function needsOf(key: ForeignKey): readonly Need[] {
  const relation = key.referencing;
  const columns = key.columns.map(({ referencing }) => referencing);
  const need = (privilege: Need['privilege']) => (column: string) => ({ relation, privilege, column, key });
  return [
    ...columns.map(need('SELECT')),
    ...(cascades(key) ? columns.slice(0, 1).map(need('DELETE')) : []),
    ...(setsColumns(key) ? key.setColumns.map(need('UPDATE')) : []),
  ];
}
