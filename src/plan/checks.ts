/** RESTRICT, NO ACTION and the new keys of SET DEFAULT: conditions that fail the statement where a rule is broken. */
import { quoteName } from '../sql/names.js';
import { type Given, givenBy, WITHIN } from './changes.js';
import { hasPlace } from './deletions.js';
import { equals } from './match.js';
import type { Check, Plan } from './plan.js';
import { age, QUEUE, renderQueue } from './queue.js';
import { columnName, deletedRows, foundName, isAmong, staysClearOf, tableOf } from './rows.js';
import { checkMarker, KEPT_SQL, SUSPECT_SQL } from './violations.js';

/** What a check says of rows that it looks at. */
interface Violations {
  /** Finds any row that may break the rule: where it finds none, none does. */
  readonly suspects: string;
  /** Selects the place, in PostgreSQL's order, and the marker of each violation. */
  readonly ordered: string;
  /** Selects the marker of any row that breaks the rule whatever the order. */
  readonly certain: string;
}

/**
 * The CTEs that the conditions need, and the conditions: each true, or an error.
 * @param suspecting only finds out whether any rule may be broken, which costs the server much less than to tell which
 */
export function renderChecks(
  plan: Plan,
  suspecting: boolean,
): {
  readonly ctes: readonly string[];
  readonly conditions: readonly string[];
} {
  const found = plan.checks.flatMap((check, place) => violationsOf(check, place, plan));
  const kept = renderKept(plan);
  if (found.length === 0) return { ctes: [], conditions: kept };
  const suspected = found.map(({ suspects }) => `EXISTS (${suspects})`).join('\n OR ');
  if (suspecting) {
    const stops = `CASE WHEN ${suspected}\n THEN ${SUSPECT_SQL} OPERATOR(pg_catalog.=) 0 ELSE true END`;
    return { ctes: [], conditions: [...kept, stops] };
  }
  const first =
    `SELECT v.marker FROM (${found.map(({ ordered }) => ordered).join('\n UNION ALL ')}) AS v (pn, page, n, age, marker)` +
    ' ORDER BY v.pn, v.page, v.n, v.age, v.marker LIMIT 1';
  // Rows that another transaction has changed meanwhile are not in the queue.
  const any = `SELECT v.marker FROM (${found.map(({ certain }) => certain).join('\n UNION ALL ')}) AS v (marker) LIMIT 1`;
  return {
    ctes: [renderQueue(plan)],
    conditions: [
      ...kept,
      `CASE WHEN ${suspected}\n THEN coalesce((${first}), (${any}))::pg_catalog.int4 IS NULL ELSE true END`,
    ],
  };
}

function violationsOf(check: Check, place: number, plan: Plan): readonly Violations[] {
  if (check.kind === 'rows') return [rowsLeft(check, place, plan)];
  const change = plan.changes[check.change];
  if (change === undefined) return [];
  const given = givenBy(change, check.change, check.key);
  return given.map((each) => (check.kind === 'same key' ? sameKey : newKey)(check, place, plan, each));
}

/** Rows of the referencing table that are still there, and the keys they reference. */
function rowsLeft({ key, gone }: Check & { kind: 'rows' }, place: number, plan: Plan): Violations {
  const { rows, column } = deletedRows(plan, key.to);
  const pairs = `${rows} AS p JOIN ${tableOf(key.from)} AS r ON ${equals(key, 'p', column, 'r')}`;
  const clear = staysClearOf(plan, key.from, 'r').join(' AND ');
  const left = `${pairs}${clear === '' ? '' : ` WHERE ${clear}`}`;
  const values = key.columns.map(({ to }) => `p.${column(to)}`);
  const inTime = `d.o OPERATOR(pg_catalog.=) r.tableoid AND d.c OPERATOR(pg_catalog.=) r.ctid AND ROW(d.pn, d.age) OPERATOR(pg_catalog.<) ROW(q.n, ${age(plan, key)})`;
  return {
    suspects: `SELECT FROM ${gone === 'some' ? pairs : left}`,
    certain: `SELECT ${checkMarker(place, '0', values)} FROM ${left}`,
    ordered:
      `SELECT q.pn, q.age, q.n, ${age(plan, key)}, ${referencedMarker(place, key)} FROM ${queued(key)}` +
      ` JOIN ${tableOf(key.from)} AS r ON ${equals(key, 'p', quoteName, 'r')}` +
      ` WHERE NOT EXISTS (SELECT FROM ${QUEUE} AS d WHERE ${inTime})`,
  };
}

/** The deleted rows `p` of the referenced table with their places `q` in the queue. */
function queued(key: Check['key']): string {
  return `${QUEUE} AS q JOIN ${tableOf(key.to)} AS p ON ${hasPlace('p', 'q')}`;
}

function referencedMarker(place: number, key: Check['key']): string {
  return checkMarker(
    place,
    'p.tableoid',
    key.columns.map(({ to }) => `p.${quoteName(to)}`),
  );
}

/**
 * SET DEFAULT gave a row the key of a row that is deleted with or behind the one it referenced: its own action finds it
 * there again.
 */
function sameKey({ key }: Check, place: number, plan: Plan, given: Given): Violations {
  const { rows, column } = deletedRows(plan, key.to);
  const suspects = `${rows} AS p JOIN ${given.rows} AS u ON ${equals(key, 'p', column, 'u')}`;
  const values = key.columns.map(({ to }) => `p.${column(to)}`);
  return {
    suspects: `SELECT FROM ${suspects}`,
    certain: `SELECT ${checkMarker(place, '0', values)} FROM ${suspects}`,
    ordered:
      `SELECT q.pn, q.age, q.n, ${age(plan, key)}, ${referencedMarker(place, key)} FROM ${queued(key)}` +
      ` JOIN ${given.rows} AS u ON ${equals(key, 'p', quoteName, 'u')} JOIN ${QUEUE} AS b ON ${wasAt(given, 'b')}` +
      ' WHERE b.n OPERATOR(pg_catalog.<=) q.n',
  };
}

/** The queue's row `b` is the one that `u` referenced before. */
function wasAt({ tableoid, ctid }: Given, b: string): string {
  return `${b}.o OPERATOR(pg_catalog.=) u.${tableoid} AND ${b}.c OPERATOR(pg_catalog.=) u.${ctid}`;
}

/**
 * SET DEFAULT gave a row a key that no row of the referenced table has, or none that is still there when the check comes:
 * behind all that was queued before the row was changed.
 */
function newKey({ key }: Check, place: number, plan: Plan, given: Given): Violations {
  const columns = key.columns.map(({ from }) => `u.${quoteName(from)}`);
  const marker = checkMarker(place, `u.${WITHIN}`, columns);
  const complete = columns.map((each) => `${each} IS NOT NULL`).join(' AND ');
  const referenced = `${tableOf(key.to)} AS t`;
  const same = equals(key, 't', quoteName, 'u');
  const missing = `NOT EXISTS (SELECT FROM ${referenced} WHERE ${same})`;
  const { rows, column } = deletedRows(plan, key.to);
  const deleted = `EXISTS (SELECT FROM ${rows} AS p WHERE ${equals(key, 'p', column, 'u')})`;
  const certain = `${given.rows} AS u WHERE ${complete} AND (${missing} OR ${deleted})`;
  const before =
    `EXISTS (SELECT FROM ${referenced} JOIN ${QUEUE} AS d ON d.o OPERATOR(pg_catalog.=) t.tableoid AND d.c OPERATOR(pg_catalog.=) t.ctid` +
    ` LEFT JOIN ${QUEUE} AS e ON e.n OPERATOR(pg_catalog.=) d.pn WHERE ${same} AND (e.n IS NULL` +
    ` OR ROW(e.pn, e.age) OPERATOR(pg_catalog.<) ROW(b.n, ${age(plan, key)})))`;
  return {
    suspects: `SELECT FROM ${certain}`,
    certain: `SELECT ${marker} FROM ${certain}`,
    ordered:
      `SELECT b.n, ${age(plan, key)}, 0::pg_catalog.int8, 0, ${marker} FROM ${given.rows} AS u` +
      ` JOIN ${QUEUE} AS b ON ${wasAt(given, 'b')} WHERE ${complete} AND (${missing} OR ${before})`,
  };
}

/** The rows of a cycle are found before they are deleted: what a trigger kept had brought others with it. */
function renderKept(plan: Plan): readonly string[] {
  return plan.deletions.flatMap((deletion) => {
    const { cycle, relation, id } = deletion;
    if (cycle === undefined || !relation.keeps) return [];
    const deleted = (plan.overlaps.get(relation) ?? [])
      .flatMap((other) => plan.deletions[other] ?? [])
      .map((other) => isAmong(relation, other, 'f', (name) => columnName(deletion.returns.indexOf(name))));
    const stays = `SELECT FROM ${foundName(id)} AS f WHERE ${deleted.map((each) => `NOT ${each}`).join(' AND ')}`;
    return [`CASE WHEN EXISTS (${stays}) THEN ${KEPT_SQL} OPERATOR(pg_catalog.=) 0 ELSE true END`];
  });
}
