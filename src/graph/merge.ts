/** The graph that the proxy acts on: the catalog's keys, and over them what the configuration says. Pure. */
import { Pace } from '../pace.js';
import type { Catalog, CatalogKey, CatalogRelation } from './catalog/catalog.js';
import { actionOf, type KeySettings } from './catalog/key-settings.js';
import { configuredKeys } from './configured.js';
import { withoutDefaults } from './default-action.js';
import { Graph } from './graph.js';
import type { ForeignKey, Performer, Relation } from './model.js';
import { overriddenName, overrideProblems, overridesOf } from './overrides.js';
import type { GraphProblem } from './problems.js';

/** The graph of one database, with the problems of the configuration there. Made in slices. */
export async function mergeGraph(catalog: Catalog, keySettings: KeySettings): Promise<Graph> {
  const pace = new Pace();
  const partitions = partitionsOf(catalog);
  const relations = new Map<number, Relation>();
  await pace.each(catalog.relations, (relation) =>
    relations.set(relation.oid, { ...relation, mayKeepRows: keepsRows(relation, partitions) }),
  );
  const declared: ForeignKey[] = [];
  await pace.each(catalog.keys, (key) => {
    const from = relations.get(key.referencing);
    const to = relations.get(key.referenced);
    if (from && to) declared.push(declaredKey(key, from, to, keySettings));
  });
  const configured = configuredKeys(catalog, relations, keySettings, declared);
  await pace.next();
  const keys = [...declared, ...configured.keys];
  const problems: GraphProblem[] = [...configured.problems];
  await pace.each(configured.keys, (key) => problems.push(...doubled(key, declared)));
  problems.push(...(await overrideProblems(declared, keySettings.overrides, pace)));
  await pace.each(keys, (key) => problems.push(...nullsNotNull(key, keySettings)));
  return new Graph(relations, keys, configured.broken, problems);
}

/** The partitions of each relation. */
function partitionsOf({ relations }: Catalog): ReadonlyMap<number, readonly CatalogRelation[]> {
  const found = new Map<number, CatalogRelation[]>();
  for (const relation of relations)
    for (const parent of relation.partition ? relation.parents : []) {
      const siblings = found.get(parent);
      if (siblings) siblings.push(relation);
      else found.set(parent, [relation]);
    }
  return found;
}

/** A partition may have triggers of its own, which fire whatever table the statement names. */
function keepsRows(
  relation: CatalogRelation,
  partitions: ReadonlyMap<number, readonly CatalogRelation[]>,
): boolean {
  const below = () => (partitions.get(relation.oid) ?? []).some((each) => keepsRows(each, partitions));
  return relation.mayKeepRows || (relation.kind === 'p' && below());
}

function declaredKey(key: CatalogKey, from: Relation, to: Relation, keySettings: KeySettings): ForeignKey {
  const [override] = overridesOf(
    overriddenName({ referencing: from, name: key.name }),
    keySettings.overrides,
  );
  const referencing = key.columns.map((column) => column.referencing);
  const setColumns = key.setColumns ?? referencing;
  const action = withoutDefaults(override?.on_delete ?? actionOf(key.action), from, setColumns);
  const performer: Performer =
    override || (!key.enforced && keySettings.declared) ? 'proxy' : key.enforced ? 'server' : 'nobody';
  return {
    declared: true,
    id: key.id,
    name: key.name,
    referencing: from,
    referenced: to,
    columns: key.columns,
    action,
    onUpdate: withoutDefaults(actionOf(key.updateAction), from, referencing),
    performer,
    enforcedByServer:
      performer === 'proxy' && key.enforced && action !== 'restrict' && action !== 'no action',
    enforced: key.enforced,
    deferred: key.deferred,
    setColumns,
    matchFull: key.matchFull,
    period: key.period,
    copies: key.copies ?? [],
  };
}

/**
 * A relation of the configuration with the columns, or the name, of a key of the catalog: both are followed, the catalog's first.
 * Whoever only wanted another action for the catalog's key has to write an override.
 */
function doubled(key: ForeignKey, declared: readonly ForeignKey[]): readonly GraphProblem[] {
  const pairs = ({ columns }: ForeignKey) =>
    columns.map(({ referencing, referenced }) => `${referencing}\0${referenced}`).sort();
  return declared
    .filter(({ referencing }) => referencing === key.referencing)
    .flatMap((other): GraphProblem[] => {
      const same = other.referenced === key.referenced && pairs(other).join() === pairs(key).join();
      if (!same && other.name !== key.name) return [];
      const text = `cascade.relations: ${key.name} has the ${same ? 'columns' : 'name'} of the foreign key ${overriddenName(other)}, and both are followed: cascade.overrides changes the action of that`;
      return [{ kind: 'doubled relation', text }];
    });
}

/** A SET NULL key of a NOT NULL column. Natively such a key can be made, and its action fails (23502) for every row that it finds. */
function nullsNotNull(key: ForeignKey, { overrides }: KeySettings): readonly GraphProblem[] {
  if (key.action !== 'set null') return [];
  if (key.declared && overridesOf(overriddenName(key), overrides).length === 0) return [];
  const [column] = key.setColumns.filter((name) =>
    key.referencing.columns.some((each) => each.name === name && each.notNull),
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
