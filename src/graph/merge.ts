/** The graph that the proxy acts on: the catalog's keys, and over them what the configuration says. Pure. */
import type { Catalog, CatalogKey, CatalogRelation } from './catalog.js';
import { configuredKeys } from './configured.js';
import { withoutDefaults } from './default-action.js';
import { type ForeignKey, Graph, type Performer, type Relation } from './model.js';
import { overriddenName, overrideProblems, overridesOf } from './overrides.js';
import type { Problem } from './problems.js';
import type { Action, Rules } from './rules.js';

const ACTIONS: Readonly<Record<string, Action>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

/** The graph of one database, with what of the configuration it does not bear out. */
export function mergeGraph(catalog: Catalog, rules: Rules): Graph {
  const relations = new Map(
    catalog.relations.map((relation) => [relation.oid, { ...relation, keeps: keepsRows(catalog, relation) }]),
  );
  const declared = catalog.keys.flatMap((key) => {
    const from = relations.get(key.from);
    const to = relations.get(key.to);
    return from && to ? [declaredKey(key, from, to, rules)] : [];
  });
  const configured = configuredKeys(catalog, relations, rules.relations);
  const keys = [...declared, ...configured.keys];
  const problems = [
    ...configured.problems,
    ...configured.keys.flatMap((key) => doubled(key, declared)),
    ...overrideProblems(declared, rules.overrides),
    ...keys.flatMap((key) => nullsNotNull(key, rules)),
  ];
  return new Graph(relations, keys, configured.broken, problems);
}

/** A partition may have triggers of its own, which fire whatever table the statement names. */
function keepsRows(catalog: Catalog, relation: CatalogRelation): boolean {
  const partitions = () =>
    catalog.relations.filter(({ partition, parents }) => partition && parents.includes(relation.oid));
  return relation.keeps || (relation.kind === 'p' && partitions().some((each) => keepsRows(catalog, each)));
}

function declaredKey(key: CatalogKey, from: Relation, to: Relation, rules: Rules): ForeignKey {
  const [override] = overridesOf(overriddenName({ from, name: key.name }), rules.overrides);
  const setColumns = key.setColumns ?? key.columns.map((column) => column.from);
  const action = withoutDefaults(override?.on_delete ?? ACTIONS[key.action] ?? 'no action', from, setColumns);
  const performer: Performer =
    override || (!key.enforced && rules.declared) ? 'proxy' : key.enforced ? 'server' : 'nobody';
  return {
    declared: true,
    id: key.id,
    name: key.name,
    from,
    to,
    columns: key.columns,
    action,
    performer,
    guarded: performer === 'proxy' && key.enforced && action !== 'restrict' && action !== 'no action',
    enforced: key.enforced,
    deferred: key.deferred,
    setColumns,
    full: key.full,
    period: key.period,
    copies: key.copies ?? [],
  };
}

/** Both act, the catalog's first. To give that another action there are overrides. */
function doubled(key: ForeignKey, declared: readonly ForeignKey[]): readonly Problem[] {
  const pairs = ({ columns }: ForeignKey) => columns.map(({ from, to }) => `${from}\0${to}`).sort();
  return declared
    .filter(({ from }) => from === key.from)
    .flatMap((other): Problem[] => {
      const same = other.to === key.to && pairs(other).join() === pairs(key).join();
      if (!same && other.name !== key.name) return [];
      const text = `cascade.relations: ${key.name} has the ${same ? 'columns' : 'name'} of the foreign key ${overriddenName(other)}, and both are followed: cascade.overrides changes the action of that`;
      return [{ kind: 'doubled relation', text }];
    });
}

/** Natively such a key can be made as well, and its action fails (23502) for every row that it finds. */
function nullsNotNull(key: ForeignKey, { overrides }: Rules): readonly Problem[] {
  const configured = !key.declared || overridesOf(overriddenName(key), overrides).length > 0;
  if (!configured || key.action !== 'set null') return [];
  const [column] = key.setColumns.filter((name) =>
    key.from.columns.some((each) => each.name === name && each.notNull),
  );
  if (column === undefined) return [];
  const where = key.declared ? 'cascade.overrides' : 'cascade.relations';
  return [
    {
      kind: 'not null',
      text: `${where}: ${overriddenName(key)} would set ${column} to NULL, which is NOT NULL: a DELETE that finds a row there fails`,
    },
  ];
}
