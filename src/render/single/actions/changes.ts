/**
 * SET NULL and SET DEFAULT as UPDATEs. Where two CTEs update one row, the server applies only one of them. So all SET keys of
 * a table go into one UPDATE, with a CASE for each column. DEFAULT cannot stand in a CASE: each combination of SET DEFAULT
 * keys that a row can match has an UPDATE of its own, and no row matches two combinations.
 */
import type { ForeignKey } from '../../../graph/model.js';
import { type Change, type Check, grouped, oncePerPlan, type Plan } from '../../../plan/plan.js';
import { quoteName } from '../../../sql/names.js';
import { ownName } from '../../own-names.js';
import { outOfReach, queued } from './events.js';
import { equals, references } from './match.js';
import { deletedRows, notDeletedBy, type RenderMode, tableOf } from './rows.js';

/** `pgc_w`: the column with the tableoid of a changed row. */
export const ROW_TABLEOID = ownName('w');

/** The rows that an UPDATE has set to their defaults. */
export interface Defaulted {
  /** The CTE that has them, with the new keys under their own names. */
  readonly rows: string;
  /** The columns with the tableoid and ctid of the deleted row that each of them referenced before. */
  readonly tableoid: string;
  readonly ctid: string;
}

/**
 * The CTEs of a change, one for each combination of its SET DEFAULT keys:
 *
 *     pgc_u0_0 AS (UPDATE ONLY posts AS r SET author = NULL WHERE (EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.author)))
 *
 * With SET DEFAULT they return the new keys, and for each such key the place of the row that was referenced before:
 *
 *     pgc_u0_0 (pgc_w, author, pgc_o0, pgc_t0) AS (UPDATE ONLY posts AS r SET author = DEFAULT FROM pgc_0 AS pgc_d0
 *       WHERE pgc_d0.pgc_c0 = r.author RETURNING r.tableoid, r.author, pgc_d0.pgc_c1, pgc_d0.pgc_c2)
 *
 * @param mode with `suspecting` the statement fails itself where the order of two keys matters, so that the UPDATE can ignore that order
 */
export function renderChange(
  change: Change,
  index: number,
  plan: Plan,
  { suspecting, counting }: RenderMode,
): readonly string[] {
  return changeParts(change, index).map(({ name, defaults }) => {
    const update = renderUpdate(change, defaults, plan, suspecting);
    if (defaults.length === 0) return `${name} AS (${update}${counting ? ' RETURNING 1' : ''})`;
    const checked = (keysChangedIn(plan).get(change.relation) ?? [])
      .filter(({ by }) => defaults.includes(by))
      .map((each) => each.checked);
    const columns = [
      ...new Set(checked.flatMap((key) => key.columns.map(({ referencing }) => referencing))),
    ].map(quoteName);
    const parents = defaults.map((key) => {
      const { column } = deletedRows(plan, key.referenced);
      const row = parentRow(change, key);
      return {
        names: placeOf(change, key),
        values: [column('tableoid'), column('ctid')].map((c) => `${row}.${c}`),
      };
    });
    const returned = [
      'r.tableoid',
      ...columns.map((name) => `r.${name}`),
      ...parents.flatMap(({ values }) => values),
    ];
    const names = [
      ROW_TABLEOID,
      ...columns,
      ...parents.flatMap(({ names: { tableoid, ctid } }) => [tableoid, ctid]),
    ];
    return `${name} (${names.join(', ')}) AS (${update} RETURNING ${returned.join(', ')})`;
  });
}

/** The same changes as UPDATE statements, not CTEs. Only for a change without SET DEFAULT: the checks of SET DEFAULT read from its CTEs. */
export function renderUpdates(change: Change, plan: Plan): readonly string[] {
  return combinations(change).map((defaults) => renderUpdate(change, defaults, plan, false));
}

/** The rows that a SET DEFAULT key of the change has set to their defaults. */
export function defaultedBy(change: Change, index: number, key: ForeignKey): readonly Defaulted[] {
  return changeParts(change, index).flatMap(({ name, defaults }) =>
    defaults.includes(key) ? [{ rows: name, ...placeOf(change, key) }] : [],
  );
}

/** The names of a change's CTEs, `pgc_u0_0`, each with its combination of SET DEFAULT keys. */
export function changeParts(
  change: Change,
  index: number,
): readonly { readonly name: string; readonly defaults: readonly ForeignKey[] }[] {
  return combinations(change).map((defaults, i) => ({ name: ownName(`u${index}_${i}`), defaults }));
}

/** `pgc_o0` and `pgc_t0`: the columns with the tableoid and ctid of the row that was referenced by a key. */
function placeOf(change: Change, key: ForeignKey): { readonly tableoid: string; readonly ctid: string } {
  const at = change.keys.indexOf(key);
  return { tableoid: ownName(`o${at}`), ctid: ownName(`t${at}`) };
}

/** `pgc_d0`: the deleted row that a row references by a key. */
function parentRow(change: Change, key: ForeignKey): string {
  return ownName(`d${change.keys.indexOf(key)}`);
}

/** The keys that are checked, each with the SET key that changes its columns; by the table that this one changes. */
const keysChangedIn = oncePerPlan(({ checks }) =>
  grouped(checks.flatMap(keyChanged), ({ by }) => by.referencing),
);

function keyChanged(check: Check): readonly { readonly by: ForeignKey; readonly checked: ForeignKey }[] {
  switch (check.kind) {
    case 'same key':
    case 'new key':
    case 'mixed key':
      return [{ by: check.by, checked: check.key }];
    case 'overlap':
      return check.when === 'new key' ? [{ by: check.key, checked: check.other }] : [];
    case 'rows':
    case 'not null':
    case 'order':
    case 'referenced':
      return [];
    default:
      return check satisfies never;
  }
}

/**
 * The UPDATE for one combination. Two SET NULL keys that share the column `a`, in a statement that only suspects:
 *
 *     UPDATE ONLY child AS r SET
 *       a = CASE WHEN EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.a)
 *         OR EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.a AND d.pgc_c1 = r.b) THEN NULL ELSE r.a END,
 *       b = CASE WHEN EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.a AND d.pgc_c1 = r.b) THEN NULL ELSE r.b END
 *     WHERE (EXISTS (SELECT FROM pgc_0 AS d WHERE d.pgc_c0 = r.a) OR EXISTS (…))
 */
function renderUpdate(
  change: Change,
  defaults: readonly ForeignKey[],
  plan: Plan,
  suspecting: boolean,
): string {
  const matches = (key: ForeignKey) => {
    const found = references(key, 'r', deletedRows(plan, key.referenced));
    const late = suspecting ? [] : outOfReach(plan, key, 'r', 'q1.position');
    if (late.length === 0) return found;
    const first = `SELECT FROM ${queued(key, 'q1', 'p1')} WHERE ${equals(key, 'p1', quoteName, 'r')} AND (${late.join(' OR ')})`;
    return `(${found} AND NOT EXISTS (${first}))`;
  };
  const nulls = change.keys.filter(({ action }) => action === 'set null');
  const others = defaultKeys(change).filter((key) => !defaults.includes(key));
  const sources = defaults.map(
    (key) => `${deletedRows(plan, key.referenced).rows} AS ${parentRow(change, key)}`,
  );
  const conditions = [
    ...defaults.map((key) =>
      equals(key, parentRow(change, key), deletedRows(plan, key.referenced).column, 'r'),
    ),
    ...others.map((key) => `(${matches(key)}) IS NOT TRUE`),
    ...(defaults.length === 0 ? [`(${nulls.map(matches).join(' OR ')})`] : []),
    ...notDeletedBy(plan, change.relation, 'r'),
  ];
  const sure = nulls.length === 1 && defaults.length === 0;
  const defaulted = new Set(defaults.flatMap(({ setColumns }) => setColumns));
  // A row under both a SET NULL and a SET DEFAULT key of one column stops the statement (conflicts.ts).
  const nulled = new Set(
    nulls.flatMap(({ setColumns }) => setColumns.filter((column) => !defaulted.has(column))),
  );
  const assignments = [
    ...[...nulled].map((column) => {
      const condition = nulls
        .filter(({ setColumns }) => setColumns.includes(column))
        .map(matches)
        .join(' OR ');
      const value = sure ? 'NULL' : `CASE WHEN ${condition} THEN NULL ELSE r.${quoteName(column)} END`;
      return `${quoteName(column)} = ${value}`;
    }),
    ...[...defaulted].map((column) => `${quoteName(column)} = DEFAULT`),
  ];
  const from = sources.length > 0 ? ` FROM ${sources.join(', ')}` : '';
  return `UPDATE ${tableOf(change.relation)} AS r SET ${assignments.join(', ')}${from} WHERE ${conditions.join(' AND ')}`;
}

/** All sets of SET DEFAULT keys; the empty one only where there is a SET NULL key to act on. */
function combinations(change: Change): readonly (readonly ForeignKey[])[] {
  let subsets: readonly (readonly ForeignKey[])[] = [[]];
  for (const key of defaultKeys(change)) subsets = [...subsets, ...subsets.map((set) => [...set, key])];
  return change.keys.some(({ action }) => action === 'set null') ? subsets : subsets.slice(1);
}

/** The SET DEFAULT keys of a change, oldest first. */
function defaultKeys(change: Change): readonly ForeignKey[] {
  return change.keys.filter(({ action }) => action === 'set default');
}
