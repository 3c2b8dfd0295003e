/** What fails a script before it changes anything: the rules of the keys, and what no script could tell. */
import { ProxyError } from '../errors.js';
import type { ForeignKey } from '../graph/model.js';
import { type Check, type Plan, setsColumns } from '../plan/plan.js';
import type { ScriptDialect } from './dialects/script-dialect.js';
import type { Rule } from './dialects/step.js';
import type { Rows } from './rows.js';

interface Known {
  readonly plan: Plan;
  readonly rows: Rows;
  readonly dialect: ScriptDialect;
}

/** @throws ProxyError PGC_SCRIPT for what cannot be checked */
export function rulesOf(known: Known): readonly Rule[] {
  const { plan } = known;
  const checks = plan.checks.flatMap((check) => ruleOf(check, known));
  const setting = plan.keys.filter(setsColumns).flatMap((key) => nullRule(key, known));
  return numbered([...checks, ...setting]);
}

function ruleOf(check: Check, known: Known): readonly Rule[] {
  const { rows, dialect } = known;
  switch (check.kind) {
    case 'rows':
      return [rowsRule(check, known)];
    case 'new key':
      return newKeyRule(check.key, check.by, known);
    case 'mixed key':
      throw new ProxyError('PGC_SCRIPT', { what: `the key ${check.key.name}, which is MATCH FULL` });
    case 'order':
      return [overlapRule(check.key, check.by, known)];
    case 'overlap':
      return [overlapRule(check.key, check.other, known)];
    case 'referenced': {
      rows.begin();
      const { key, other } = check;
      const changed = `SELECT 1 FROM ${dialect.table(key.referencing)} AS c WHERE ${rows.byKey(key, 'c.')}${rows.butNotGone(key.referencing, 'c.')}`;
      const join = rows.joined(other, (column) => `c.${dialect.quote(column)}`, 'r.');
      return [
        {
          name: nameOf(key, 'referenced'),
          message: `it would change a column by which rows of ${other.referencing.name} reference ${key.referencing.name} (${other.name})`,
          broken: `${changed} AND EXISTS (SELECT 1 FROM ${dialect.table(other.referencing)} AS r WHERE ${join})`,
        },
      ];
    }
    // The check of new keys finds it too: a key that goes is none that is there. A row that goes is not changed at all.
    case 'same key':
    case 'not null':
      return [];
    default:
      return check satisfies never;
  }
}

/** RESTRICT: no row may reference one that goes. NO ACTION: none that stays. */
function rowsRule({ key, gone }: Check & { readonly kind: 'rows' }, { rows, dialect }: Known): Rule {
  rows.begin();
  // Where all of them have gone by the time of PostgreSQL's check, RESTRICT finds none either.
  const leavesOut = key.action === 'no action' || (gone === 'all' && dialect.program === 'psql');
  const rest = leavesOut ? rows.butNotGone(key.referencing) : '';
  return {
    name: nameOf(key, key.action.toUpperCase()),
    message: `rows of ${key.referencing.name} reference rows of ${key.referenced.name} that would go`,
    broken: `SELECT 1 FROM ${dialect.table(key.referencing)} WHERE ${rows.byKey(key)}${rest}`,
  };
}

/** SET DEFAULT: the key that a row gets has to be one that is there, and stays. */
function newKeyRule(key: ForeignKey, by: ForeignKey, { rows, dialect }: Known): readonly Rule[] {
  const constants = new Map(by.setColumns.map((column) => [column, defaultOf(by, column)]));
  const value = (column: string) => constants.get(column) ?? `c.${dialect.quote(column)}`;
  const values = key.columns.map(({ referencing }) => value(referencing));
  if (values.includes('NULL')) return [];
  rows.begin();
  const same = key.columns
    .map(({ referenced }, i) => `r.${dialect.quote(referenced)} = ${values[i]}`)
    .join(' AND ');
  const isWhole = values.map((each) => `${each} IS NOT NULL`).join(' AND ');
  const changed = `${rows.byKey(by, 'c.')}${rows.butNotGone(by.referencing, 'c.')} AND ${isWhole}`;
  const stays = `SELECT 1 FROM ${dialect.table(key.referenced)} AS r WHERE ${same} AND (${rows.isKept(
    key.columns.map(({ referenced }) => `r.${dialect.quote(referenced)}`),
    key,
  )}) IS NOT TRUE`;
  return [
    {
      name: nameOf(key, by === key ? 'SET DEFAULT' : `SET DEFAULT of ${by.name}`),
      message: `the default of rows of ${by.referencing.name} is no key of ${key.referenced.name} that stays`,
      broken: `SELECT 1 FROM ${dialect.table(by.referencing)} AS c WHERE ${changed} AND NOT EXISTS (${stays})`,
    },
  ];
}

/** Which of two keys acts first decides what becomes of a row that both concern: each engine has an order of its own. */
function overlapRule(key: ForeignKey, other: ForeignKey, { rows, dialect }: Known): Rule {
  rows.begin();
  return {
    name: nameOf(key, `beside ${other.name}`),
    message: `what it sets in a row of ${key.referencing.name} decides what ${other.name} does with the row`,
    broken: `SELECT 1 FROM ${dialect.table(key.referencing)} WHERE ${rows.byKey(key)} AND ${rows.byKey(other)}`,
  };
}

/** SET NULL of a column that takes none. */
function nullRule(key: ForeignKey, { rows, dialect }: Known): readonly Rule[] {
  const sets = (column: string) =>
    key.setColumns.includes(column) && (key.action === 'set null' || defaultOf(key, column) === 'NULL');
  const column = key.referencing.columns.find(({ name, notNull }) => notNull && sets(name));
  if (!column) return [];
  rows.begin();
  return [
    {
      name: nameOf(key, 'NOT NULL'),
      message: `it would set ${column.name} of ${key.referencing.name} to NULL`,
      broken: `SELECT 1 FROM ${dialect.table(key.referencing)} WHERE ${rows.byKey(key)}${rows.butNotGone(key.referencing)}`,
    },
  ];
}

/** @throws ProxyError PGC_SCRIPT where the file does not say it as a constant */
export function defaultOf(key: ForeignKey, column: string): string {
  const constant = key.referencing.columns.find(({ name }) => name === column)?.constant;
  if (typeof constant === 'string') return constant;
  throw new ProxyError('PGC_SCRIPT', {
    what: `SET DEFAULT of ${key.referencing.name}.${column} (${key.name}), whose default is no constant`,
  });
}

/** `users_org_fkey of users (RESTRICT)`, cut where an engine would. */
export function nameOf(key: ForeignKey, what: string): string {
  return `${key.name} of ${key.referencing.name} (${what})`.replaceAll(/[\r\n]/g, ' ').slice(0, LONGEST);
}

const LONGEST = 60;

/** Each name once: the second gets a number. */
export function numbered(rules: readonly Rule[]): readonly Rule[] {
  const taken = new Set<string>();
  return rules.map((rule) => {
    let name = rule.name;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${n}: ${rule.name}`.slice(0, LONGEST);
    taken.add(name.toLowerCase());
    return { ...rule, name };
  });
}
