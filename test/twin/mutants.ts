/** Planners with one mistake each, of the kinds that emulated cascades have had: what the fuzzer has to find. */

import type { Graph } from '../../src/graph/graph.js';
import type { ForeignKey, Relation } from '../../src/graph/model.js';
import type { Check, Plan } from '../../src/plan/plan.js';
import type { Root } from '../../src/render/single/root.js';

export interface Mutant {
  /** Changes a key wherever it comes up. */
  readonly key?: (key: ForeignKey) => ForeignKey;
  /** Leaves out keys that are to be followed from a relation. */
  readonly keys?: (keys: readonly ForeignKey[], relation: Relation) => readonly ForeignKey[];
  readonly plan?: (plan: Plan) => Plan;
  /** Changes the statement that is sent for a client's. */
  readonly sql?: (sql: string, text: string, roots: readonly Root[]) => string;
}

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  'an edge is dropped': { keys: (keys) => keys.slice(0, -1) },
  'children are found by the WHERE again, not by what the DELETE returned': { sql: byPredicate },
  'one of several keys of a deletion is lost': {
    plan: (plan) => ({
      ...plan,
      deletions: plan.deletions.map((each) =>
        each.cycle === undefined && each.keys.length > 1 ? { ...each, keys: each.keys.slice(0, -1) } : each,
      ),
    }),
  },
  'one arm of the search through a cycle is lost': {
    sql: (sql) => sql.replace(/LATERAL \((SELECT .*?) UNION ALL .*\) AS n\)/g, 'LATERAL ($1) AS n)'),
  },
  'a cycle is gone through once': {
    sql: (sql) =>
      sql.replace(/\n UNION SELECT [^\n]*\)\n SELECT tableoid, ctid FROM/g, ')\n SELECT tableoid, ctid FROM'),
  },
  'SET NULL is forgotten': { plan: (plan) => withoutChanges(plan, 'set null') },
  'SET DEFAULT is forgotten': { plan: (plan) => withoutChanges(plan, 'set default') },
  'SET DEFAULT sets nulls': {
    key: (key) => (key.action === 'set default' ? { ...key, action: 'set null' } : key),
  },
  'SET NULL (column) sets all columns': {
    key: (key) => ({ ...key, setColumns: key.columns.map(({ referencing }) => referencing) }),
  },
  'RESTRICT is not checked': { plan: (plan) => withoutChecks(plan, 'restrict') },
  'NO ACTION is not checked': { plan: (plan) => withoutChecks(plan, 'no action') },
  'what SET DEFAULT sets is not checked': {
    plan: (plan) => ({ ...plan, checks: plan.checks.filter(({ kind }) => kind === 'rows') }),
  },
  'rows that go are checked, and changed, as if they stayed': {
    plan: (plan) => ({
      ...plan,
      overlaps: new Map([...plan.overlaps].map(([relation]) => [relation, []])),
      checks: plan.checks.map((check) => (check.kind === 'rows' ? { ...check, gone: 'none' } : check)),
    }),
  },
  'a row is taken for gone before its turn': {
    plan: (plan) => ({
      ...plan,
      checks: plan.checks.map((check) =>
        check.kind === 'rows' && check.gone === 'some' ? { ...check, gone: 'all' } : check,
      ),
    }),
  },
  'the youngest key fires first': { plan: (plan) => ({ ...plan, keys: [...plan.keys].reverse() }) },
  'a key of several columns is compared by the first': {
    key: (key) => ({ ...key, columns: key.columns.slice(0, 1) }),
  },
  'rows of inheritance children are taken for rows of the table': {
    plan: (plan) => ({
      ...plan,
      members: new Map(
        [...plan.members].map(([relation, members]) => [
          relation,
          members.map((member) => ({ ...member, within: undefined })),
        ]),
      ),
    }),
  },
  'a partition does not have the keys of its table': {
    keys: (keys, relation) => keys.filter(({ referenced }) => !relation.partition || referenced === relation),
  },
};

/** The graph as the mutant sees it. */
export function mutatedGraph(graph: Graph, { key, keys }: Mutant): Graph {
  if (!key && !keys) return graph;
  // A plan compares its keys by identity.
  const altered = new Map<ForeignKey, ForeignKey>();
  const alter = (each: ForeignKey) => {
    const known = altered.get(each) ?? key?.(each) ?? each;
    altered.set(each, known);
    return known;
  };
  const asked: Readonly<Record<string, (relation: Relation) => readonly ForeignKey[]>> = {
    keysOnRows: (relation) => graph.keysOnRows(relation).map(alter),
    keysToRows: (relation) => graph.keysToRows(relation).map(alter),
    keysFrom: (relation) => graph.keysFrom(relation).map(alter),
    keysTo: (relation) => graph.keysTo(relation).map(alter),
    keysToFollow: (relation) => {
      const followed = graph.keysToFollow(relation).map(alter);
      return keys?.(followed, relation) ?? followed;
    },
  };
  return new Proxy(graph, {
    get(target, name) {
      const value: unknown = asked[String(name)] ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function withoutChanges(plan: Plan, action: ForeignKey['action']): Plan {
  const changes = plan.changes.map((change) => ({
    ...change,
    keys: change.keys.filter((key) => key.action !== action),
  }));
  const stays = (key: ForeignKey) => key.action !== action;
  const kept = changes.filter(({ keys }) => keys.length > 0);
  const checks = plan.checks.flatMap((check): Check[] => {
    if (check.kind === 'rows')
      return [{ ...check, changers: check.changers.filter((changer) => stays(changer.key)) }];
    const by = check.kind === 'new key' || check.kind === 'same key' ? check.by : check.key;
    const change = changes.find(({ keys }) => keys.includes(by));
    if (!change || ('other' in check && !stays(check.other))) return [];
    return ['change' in check ? { ...check, change: kept.indexOf(change) } : check];
  });
  return { ...plan, changes: kept, checks };
}

function withoutChecks(plan: Plan, action: ForeignKey['action']): Plan {
  const checks = plan.checks.filter(({ kind, key }) => kind !== 'rows' || key.action !== action);
  return { ...plan, checks };
}

/** Only of a plain DELETE, whose FROM and WHERE can stand in a SELECT. */
function byPredicate(sql: string, text: string, [root]: readonly Root[]): string {
  const [, from] = /^DELETE\s+FROM\s(.*?)(?:\sRETURNING\s.*)?$/is.exec(text) ?? [];
  if (!root || from === undefined || /\s(?:USING|OF)\s/i.test(from) || !sql.startsWith('WITH pgc_0 '))
    return sql;
  const names = root.deletion.returns.map((_, i) => `pgc_c${i}`).join(', ');
  const columns = root.deletion.returns.map((name) => `${root.site.alias}."${name}"`).join(', ');
  return sql
    .replaceAll(/\bpgc_0 AS d\b/g, 'pgc_p AS d')
    .replace('WITH ', () => `WITH pgc_p (${names}) AS (SELECT ${columns} FROM ${from}), `);
}
