/**
 * Looks at the keys of rows that a COPY has copied: by a statement of its own after the COPY, in the same transaction. Natively, too, they are
 * checked when all rows are copied.
 */
import type { Relation } from '../../graph/model.js';
import type { GuardedKey } from '../../plan/guard.js';
import { quoteName, type RelationName } from '../../sql/names.js';
import { tableOf } from '../single/actions/rows.js';
import { stillMeans } from '../single/meaning.js';
import { breaks, caseOf, checksOf, type RowColumns } from './guard.js';
import type { GuardCheck } from './guard-checks.js';

/** A COPY, and the relation into which it copies. */
export interface Copied {
  /** As the COPY names it. */
  readonly target: RelationName;
  readonly relation: Relation;
  readonly keys: readonly GuardedKey[];
}

/**
 *     SELECT CASE WHEN 'posts'::regclass::oid = 16390 THEN true ELSE concat('pgcascade/…/relationChanged')::int4 = 0 END
 *      AND (SELECT count(*) FROM ONLY posts AS n
 *     WHERE CASE WHEN age(n.xmin) - age(own) > 0 OR txid_status(txid_current() - (age(n.xmin) - age(own))) IS DISTINCT FROM 'in progress' THEN true
 *      WHEN n.author IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY users AS p WHERE p.id = n.author FOR KEY SHARE OF p)
 *       THEN format('pgcascade/…/0/%s/(%s)', 16390, n.author)::int4 IS NULL ELSE true END) >= 0
 *
 * A row that the statement sees was written by its own transaction where the writer is still in progress. The writer may be a subtransaction:
 * the number of one is not below that of the transaction itself, `own`. age() counts from a number that is fixed when it is first
 * called in the transaction, perhaps before this has a number of its own: so ages are compared. A COPY with FREEZE leaves the number too.
 * Rows that the transaction has written before the COPY are looked at as well.
 */
export function renderCopied({ target, relation, keys }: Copied): {
  readonly sql: string;
  readonly checks: readonly GuardCheck[];
} {
  const checks = checksOf(keys);
  const columns = columnsIn(relation, keys);
  const cases = checks.map((check, place) => ({
    isDeferred: check.key.deferred,
    // The statement sees all rows that a copied one may reference, those of the same COPY too.
    sql: breaks(check, place, columns, { target: { relation }, level: 'check' }, []),
  }));
  const looks = [false, true].flatMap((deferred) => {
    const own = cases.filter(({ isDeferred }) => isDeferred === deferred).map(({ sql }) => sql);
    if (own.length === 0) return [];
    return [
      `(SELECT pg_catalog.count(*) FROM ${tableOf(relation)} AS n\nWHERE ${caseOf([OTHERS, ...own])}) OPERATOR(pg_catalog.>=) 0`,
    ];
  });
  return { sql: `SELECT ${[stillMeans(target, relation), ...looks].join('\n AND ')}`, checks };
}

/** `txid_current()`, as age() takes it. */
const OWN = `(pg_catalog.txid_current() OPERATOR(pg_catalog.%) 4294967296)::pg_catalog.text::pg_catalog.xid`;
/** How much older than this transaction the one is that wrote a row: negative for a subtransaction of this one. */
const AGE = `(pg_catalog.age(n.xmin)::pg_catalog.int8 OPERATOR(pg_catalog.-) pg_catalog.age(${OWN}))`;
const STATUS = `pg_catalog.txid_status(pg_catalog.txid_current() OPERATOR(pg_catalog.-) ${AGE})`;
/** A row that this transaction has not written. */
const OTHERS = `WHEN ${AGE} OPERATOR(pg_catalog.>) 0 OR (${STATUS} OPERATOR(pg_catalog.=) 'in progress') IS NOT TRUE THEN true`;

/** The columns of the table itself. */
function columnsIn(relation: Relation, keys: readonly GuardedKey[]): RowColumns {
  return {
    name: quoteName,
    of: (column) => `n.${quoteName(column)}`,
    changed: () => [],
    tells: relation.kind === 'p' || keys.some(({ within }) => within !== 'all'),
  };
}
