/** Makes a script of ordered deletes. Pure. */
import { ProxyError } from '../errors.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import type { Steps } from '../pace.js';
import { type Deletion, grouped, type Plan, setsColumns } from '../plan/plan.js';
import { planDelete } from '../plan/planner.js';
import type { FileGraph } from '../schema-files/file-graph.js';
import { collectSteps, type Temporary, withCopies } from './collect.js';
import { type DeleteStatement, readDelete } from './delete-statement.js';
import { mariadb, mysql } from './dialects/mysql.js';
import type { ScriptDialectName } from './dialects/names.js';
import { postgresql } from './dialects/postgresql.js';
import type { ScriptDialect, ScriptFacts } from './dialects/script-dialect.js';
import { sqlite } from './dialects/sqlite.js';
import type { Rule, Step } from './dialects/step.js';
import { copyName, Rows } from './rows.js';
import { defaultOf, nameOf, numbered, rulesOf } from './rules.js';

const BY_NAME: Readonly<Record<ScriptDialectName, ScriptDialect>> = { sqlite, mysql, mariadb, postgresql };

export interface Script {
  readonly dialect: ScriptDialectName;
  /** The program that runs it. */
  readonly program: string;
  /** As the client has written it. */
  readonly statement: string;
  readonly steps: readonly Step[];
}

/**
 * The steps that do what the DELETE would do if the keys of the graph were enforced. For PostgreSQL its parser has to be ready.
 * @throws ProxyError PGC_SCRIPT, or as planDelete, where that cannot be told with certainty
 */
export function* makeScript(files: FileGraph, text: string, name: ScriptDialectName): Steps<Script> {
  const read = readDelete(text, name);
  const relation = files.relation(read.table);
  if (!relation)
    throw new ProxyError('PGC_SCRIPT', {
      what: `a DELETE from ${read.table.name}, a table that the schema file does not have`,
    });
  const dialect = BY_NAME[name];
  // Whatever the session's search_path or database is, the rows come from the table from which they are deleted later.
  const from = `${dialect.table(relation)} AS ${read.reference}`;
  const statement = read.table.schema === undefined ? { ...read, from } : read;
  const plan = yield* planDelete(files.graph, [{ relation, only: false, view: undefined }]);
  refuse(plan, relation, files);
  const steps = plan ? cascadeSteps(plan, files, dialect, statement) : plainSteps(statement, dialect);
  return { dialect: name, program: dialect.program, statement: statement.text, steps };
}

function refuse(plan: Plan | undefined, target: Relation, files: FileGraph): void {
  const no = (what: string) => new ProxyError('PGC_SCRIPT', { what });
  const relations = [target, ...(plan?.deletions.map(({ relation }) => relation) ?? [])];
  const inherited = relations.find(
    (each) => files.graph.descendants(each).some(({ partition }) => !partition) || each.partition,
  );
  const isSplit = [...(plan?.members.values() ?? [])].some((members) => members.some(({ within }) => within));
  if (plan && (inherited || isSplit))
    throw no(`a cascade through ${(inherited ?? target).name}: it is a partition, or others inherit from it`);
  if (plan && files.identity(target).length === 0)
    throw no(`a DELETE from ${target.name}, which has no primary key`);
}

function plainSteps({ text }: DeleteStatement, dialect: ScriptDialect): readonly Step[] {
  const facts = { isCyclic: false, tables: [] };
  return [
    {
      kind: 'open',
      about: 'no key references these rows: nothing goes with them',
      lines: dialect.head(facts),
    },
    { kind: 'delete', about: 'the DELETE itself', lines: [`${text};`] },
  ];
}

function cascadeSteps(
  plan: Plan,
  files: FileGraph,
  dialect: ScriptDialect,
  statement: DeleteStatement,
): readonly Step[] {
  const rows = new Rows(plan, dialect, (relation) => files.identity(relation));
  const known = { plan, rows, dialect, statement };
  const collected = collectSteps(known);
  const rules = rulesOf(known);
  const changes = changeSteps(plan, rows, dialect);
  const deletes = deleteSteps(plan, rows, dialect);
  const referencing = [...new Set(plan.keys.map((key) => key.referencing))];
  const own = dialect.ownCheck;
  const left = [...leftRules(plan, rows, dialect), ...(own ? [own.after(referencing)] : [])];
  const all = numbered([...rules, ...left]);
  const facts: ScriptFacts = {
    isCyclic: plan.deletions.some(({ cycle }) => cycle !== undefined),
    tables: tablesOf(plan).map((each) => dialect.table(each)),
  };
  const collecting = collected.steps.map((step) => withCopies(step, rows, dialect));
  const failing = (kind: 'rule' | 'verify', which: readonly Rule[]): readonly Step[] =>
    which.map((rule) => ({ kind, about: `${rule.name}: ${rule.message}`, lines: [dialect.fail(rule)] }));
  return [
    ...openSteps(collected.temporaries, all, rows, dialect, facts),
    ...(own
      ? [{ kind: 'open' as const, about: 'what is broken already', lines: own.before(referencing) }]
      : []),
    ...collecting,
    ...failing('rule', all.slice(0, rules.length)),
    ...changes,
    ...deletes,
    ...failing('verify', all.slice(rules.length)),
    { kind: 'close', about: 'all of it, or nothing', lines: dialect.end },
  ];
}

function openSteps(
  temporaries: readonly Temporary[],
  rules: readonly Rule[],
  rows: Rows,
  dialect: ScriptDialect,
  facts: ScriptFacts,
): readonly Step[] {
  const created = temporaries.flatMap(({ name, select }) => {
    const names = [
      name,
      ...Array.from({ length: rows.copies.get(name) ?? 0 }, (_, i) => copyName(name, i + 1)),
    ];
    return names.flatMap((each) => dialect.create(each, select));
  });
  const prepared = [...created, ...dialect.prepareRules(rules)];
  const begin = dialect.begin(facts);
  const lines = dialect.createsInside ? [...begin, ...prepared] : [...prepared, ...begin];
  return [
    { kind: 'open', about: 'an error ends the script, and nothing is changed', lines: dialect.head(facts) },
    { kind: 'open', about: 'temporary tables for the rows that go', lines },
  ];
}

/** UPDATE "posts" SET "author_id" = NULL WHERE "author_id" IN (SELECT "id" FROM "pgc_users") */
function changeSteps(plan: Plan, rows: Rows, dialect: ScriptDialect): readonly Step[] {
  return plan.keys.filter(setsColumns).map((key): Step => {
    rows.begin();
    const value = (column: string) => (key.action === 'set null' ? 'NULL' : defaultOf(key, column));
    const sets = key.setColumns.map((column) => `${dialect.quote(column)} = ${value(column)}`);
    const condition = `${rows.byKey(key)}${rows.butNotGone(key.referencing)}`;
    return {
      kind: 'change',
      about: `${nameOf(key, key.action.toUpperCase())}`,
      lines: [`UPDATE ${dialect.table(key.referencing)} SET ${sets.join(', ')}\nWHERE ${condition};`],
    };
  });
}

/** Leaves first; the tables of a cycle in one go. */
function deleteSteps(plan: Plan, rows: Rows, dialect: ScriptDialect): readonly Step[] {
  const byRelation = new Map<Relation, Deletion>();
  // A table of a cycle that the client names has two deletions, of which that in the cycle decides the place.
  for (const each of plan.deletions) byRelation.set(each.relation, each);
  const groups = grouped(
    [...byRelation.values()].sort((a, b) => b.id - a.id),
    ({ id, cycle }) => (cycle === undefined ? `d${id}` : `c${cycle}`),
  );
  return [...groups.values()].map((group): Step => {
    const deletes = group.map(({ relation }) => {
      rows.begin();
      return { table: dialect.table(relation), condition: rows.isGone(relation) };
    });
    return {
      kind: 'delete',
      about: group.map(({ relation }) => relation.name).join(', '),
      lines: dialect.together(deletes),
    };
  });
}

/** After all changes nothing may reference a row that is gone: one that a trigger has kept, or an engine has not found. */
function leftRules(plan: Plan, rows: Rows, dialect: ScriptDialect): readonly Rule[] {
  return plan.keys.map((key) => {
    rows.begin();
    const found = `SELECT 1 FROM ${dialect.table(key.referencing)} AS c WHERE ${rows.byKey(key, 'c.')}`;
    const join = rows.joined(key, (column) => `r.${dialect.quote(column)}`, 'c.');
    return {
      name: nameOf(key, 'left'),
      message: `rows of ${key.referencing.name} reference rows of ${key.referenced.name} that are gone`,
      broken: `${found} AND NOT EXISTS (SELECT 1 FROM ${dialect.table(key.referenced)} AS r WHERE ${join})`,
    };
  });
}

function tablesOf({ deletions, keys }: Plan): readonly Relation[] {
  const both = ({ referencing, referenced }: ForeignKey) => [referenced, referencing];
  return [...new Set([...deletions.map(({ relation }) => relation), ...keys.flatMap(both)])];
}
