/** Rows whose key names nothing. */
import type { ForeignKey, Relation } from '../graph/model.js';
import { type Ask, isOfServer } from '../graph/watch/connection.js';
import { equals } from '../render/single/actions/match.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import type { Finding } from './finding.js';
import { describeKey } from './from-graph.js';

/** Orphans of one key are counted up to here. */
const MOST_ORPHANS = 1000;

/** Row security would hide parents, and make orphans of their children: without it such a question fails. */
const ALL_ROWS = `SELECT pg_catalog.set_config('row_security', 'off', false)`;
const NOT_PERMITTED = '42501';

/**
 * Rows whose key names nothing, of the keys that the server does not enforce.
 * @param ask sees all rows or none from then on
 * @throws the error of the system; of the server's only what is not about one key
 */
export async function orphanFindings(keys: readonly ForeignKey[], ask: Ask): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  await ask(ALL_ROWS);
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
    if (!isOfServer(error)) throw error;
    return {
      level: error.code === NOT_PERMITTED ? 'note' : 'problem',
      check: 'orphans',
      text: `Whether rows of ${from} name no row of ${to} cannot be seen: ${error.message}.`,
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
