/**
 * Settings that hold for what the proxy sends, whatever the client has set, and that the proxy then puts back.
 *
 * To set a setting locally to the value that it had changes nothing for the client: what the client has set for its session or
 * its transaction stays what it was, and a savepoint, a rollback or the end of the transaction goes back to it (guc.c,
 * push_old_value and AtEOXact_GUC). Meanwhile the server keeps the client's values in a custom setting, which is local as
 * well: an error undoes both together. A setting counts from the next statement on: each statement of a string or pipeline
 * starts statement_timeout anew (since PostgreSQL 11).
 */
import type { Profile } from '../profiles/profile.js';

/** Statements that apply the settings and put the client's back. */
export interface OwnSettings {
  readonly apply: string;
  readonly restore: string;
  /** In place of both, in a string that is a transaction of its own: SET LOCAL ends with it. */
  readonly applyLocally: readonly string[];
}

/**
 * What a query of the proxy's own is executed under: without the client's time limits, which are not meant for it; and with
 * settings for output of the proxy's own, as other sessions use the answer too. `restore` returns no row.
 *
 *     SELECT set_config('pgcascade.client_settings', concat_ws(' ', current_setting('statement_timeout', true), …), true),
 *       set_config('statement_timeout', '0', true), …
 *     SELECT FROM (SELECT current_setting('pgcascade.client_settings', true) AS k OFFSET 0) AS k
 *       WHERE concat(set_config('statement_timeout', split_part(k.k, ' ', 1), true), …) IS NULL
 *
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
  const before = [
    ...values.map(([name]) => current(name)),
    ...(can.limitTransactions ? [remaining(asked)] : []),
  ];
  const own = values.map(([name, value]) => set(name, `'${value}'`));
  const store = set(CLIENT_SETTINGS, `pg_catalog.concat_ws(' ', ${before.join(', ')})`);
  const word = (index: number) => `pg_catalog.split_part(k.k, ' ', ${index + 1})`;
  const restored = values.flatMap(([name], i) => [
    ...(name === 'transaction_timeout' ? [set(name, word(values.length))] : []),
    set(name, word(i)),
  ]);
  return {
    apply: `SELECT ${[store, ...own].join(', ')}`,
    restore: `SELECT FROM (SELECT ${current(CLIENT_SETTINGS)} AS k OFFSET 0) AS k WHERE pg_catalog.concat(${restored.join(', ')}) IS NULL`,
    applyLocally: values.map(([name, value]) => `SET LOCAL ${name} = ${value}`),
  };
}

/**
 * What an expanded statement runs under: without JIT. The estimated costs of all that it might delete add up to more than
 * jit_above_cost, and compiling takes longer than executing. `apply` may be executed twice in a row.
 *
 *     SELECT set_config('jit', 'off', true), set_config('pgcascade.jit', 'on', true) WHERE current_setting('jit', true) = 'on'
 *     SELECT set_config('jit', 'on', true), set_config('pgcascade.jit', '', true) WHERE current_setting('pgcascade.jit', true) = 'on'
 *
 * @returns undefined where the server has no JIT
 */
export function expandedSettings({ can }: Profile): OwnSettings | undefined {
  return can.compileQueries ? JIT_OFF : undefined;
}

/** Has the client's values, with a space between them, while the proxy's query is executed. */
const CLIENT_SETTINGS = 'pgcascade.client_settings';
/** `on` while the proxy has switched JIT off. */
const JIT = 'pgcascade.jit';

const JIT_OFF: OwnSettings = {
  apply: `SELECT ${set('jit', `'off'`)}, ${set(JIT, `'on'`)} WHERE ${current('jit')} OPERATOR(pg_catalog.=) 'on'`,
  restore: `SELECT ${set('jit', `'on'`)}, ${set(JIT, `''`)} WHERE ${current(JIT)} OPERATOR(pg_catalog.=) 'on'`,
  applyLocally: ['SET LOCAL jit = off'],
};

/**
 * The milliseconds that are left of transaction_timeout. To switch the timeout off stops its clock, and to switch it on starts
 * the clock from the beginning (assign_transaction_timeout): so the proxy sets first what is left, which starts the clock, and
 * then the client's value, which counts for the next transaction only, as the clock is running.
 *
 *     CASE WHEN current_setting('transaction_timeout', true) = '0' THEN 0
 *       ELSE GREATEST((date_part('epoch', …::interval - (clock_timestamp() - now())) * 1000 + 12)::int8, 1) END
 */
function remaining(asked: number): string {
  const whole = current('transaction_timeout');
  const passed = 'pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.now()';
  const left = `${whole}::pg_catalog.interval OPERATOR(pg_catalog.-) (${passed})`;
  const milliseconds = `pg_catalog.date_part('epoch', ${left}) OPERATOR(pg_catalog.*) 1000 OPERATOR(pg_catalog.+) ${Math.ceil(asked)}`;
  return `CASE WHEN ${whole} OPERATOR(pg_catalog.=) '0' THEN 0 ELSE GREATEST((${milliseconds})::pg_catalog.int8, 1) END`;
}

/** `current_setting('jit', true)`: null, and no error, where the server has no such setting. */
function current(name: string): string {
  return `pg_catalog.current_setting('${name}', true)`;
}

/** `set_config('jit', 'off', true)`: as SET LOCAL. */
function set(name: string, value: string): string {
  return `pg_catalog.set_config('${name}', ${value}, true)`;
}
