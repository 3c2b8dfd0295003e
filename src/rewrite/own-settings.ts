/**
 * Settings that hold for what the proxy sends, whatever the client has set, and that are then put back.
 *
 * A local setting to the value that was there changes nothing: what the client has set for its session or its transaction
 * stays what it was, and what a savepoint, a rollback or the end of the transaction goes back to (guc.c, push_old_value and
 * AtEOXact_GUC). The server itself keeps that value meanwhile, in a custom setting that is local as well: an error undoes
 * both together. A setting counts from the next statement on: statement_timeout is started by each one of a string or
 * pipeline (since PostgreSQL 11).
 */
import type { Profile } from '../profiles/profile.js';

/** The statements that set the settings and put them back. */
export interface OwnSettings {
  readonly apply: string;
  readonly restore: string;
  /** In place of both, in a string that is a transaction by itself: they are local, and end with it. */
  readonly applyLocally: readonly string[];
}

/**
 * What a query of the proxy's own is executed under. The client's time limits are not for it. Other sessions use its answer
 * too, so it depends on none of the client's settings for output. `leave` returns no row.
 * @param asked the milliseconds that the proxy's queries have taken in the same transaction so far
 */
export function questionSettings({ can }: Profile, asked: number): OwnSettings {
  const values: readonly (readonly [string, string])[] = [
    ['statement_timeout', '0'],
    ['lock_timeout', '0'],
    ['quote_all_identifiers', 'off'],
    ['extra_float_digits', '1'],
    ...(can.compileQueries ? [['jit', 'off'] as const] : []),
    ...(can.limitTransactions ? [['transaction_timeout', '0'] as const] : []),
  ];
  const kept = [
    ...values.map(([name]) => current(name)),
    ...(can.limitTransactions ? [remaining(asked)] : []),
  ];
  const own = values.map(([name, value]) => set(name, `'${value}'`));
  const keep = set(KEPT, `pg_catalog.concat_ws(' ', ${kept.join(', ')})`);
  const word = (index: number) => `pg_catalog.split_part(k.k, ' ', ${index + 1})`;
  const restored = values.flatMap(([name], i) => [
    ...(name === 'transaction_timeout' ? [set(name, word(values.length))] : []),
    set(name, word(i)),
  ]);
  return {
    apply: `SELECT ${[keep, ...own].join(', ')}`,
    restore: `SELECT FROM (SELECT ${current(KEPT)} AS k OFFSET 0) AS k WHERE pg_catalog.concat(${restored.join(', ')}) IS NULL`,
    applyLocally: values.map(([name, value]) => `SET LOCAL ${name} = ${value}`),
  };
}

/**
 * What an expanded statement runs under. The estimated costs of all that it might delete add up to more than
 * jit_above_cost, and to compile that takes longer than to execute it. To enter twice is to enter once.
 * @returns undefined where the server has no JIT
 */
export function expandedSettings({ can }: Profile): OwnSettings | undefined {
  return can.compileQueries ? JIT_OFF : undefined;
}

const KEPT = 'pgcascade.kept';
/** `on` while the proxy has switched JIT off. */
const JIT = 'pgcascade.jit';

const JIT_OFF: OwnSettings = {
  apply: `SELECT ${set('jit', `'off'`)}, ${set(JIT, `'on'`)} WHERE ${current('jit')} OPERATOR(pg_catalog.=) 'on'`,
  restore: `SELECT ${set('jit', `'on'`)}, ${set(JIT, `''`)} WHERE ${current(JIT)} OPERATOR(pg_catalog.=) 'on'`,
  applyLocally: ['SET LOCAL jit = off'],
};

/**
 * The milliseconds that are left of transaction_timeout. To switch it off stops its clock, and to switch it on starts it
 * from the beginning (assign_transaction_timeout): so it is started with what is left. While it runs, what is set counts for
 * the next transaction only.
 */
function remaining(asked: number): string {
  const whole = current('transaction_timeout');
  const passed = 'pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.now()';
  const left = `${whole}::pg_catalog.interval OPERATOR(pg_catalog.-) (${passed})`;
  const milliseconds = `pg_catalog.date_part('epoch', ${left}) OPERATOR(pg_catalog.*) 1000 OPERATOR(pg_catalog.+) ${Math.ceil(asked)}`;
  return `CASE WHEN ${whole} OPERATOR(pg_catalog.=) '0' THEN 0 ELSE GREATEST((${milliseconds})::pg_catalog.int8, 1) END`;
}

function current(name: string): string {
  return `pg_catalog.current_setting('${name}', true)`;
}

function set(name: string, value: string): string {
  return `pg_catalog.set_config('${name}', ${value}, true)`;
}
