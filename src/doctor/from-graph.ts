/** What the graph alone shows: no row is looked at. Pure. */
import type { Config } from '../config/schema.js';
import { ProxyError } from '../errors.js';
import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { inSlices } from '../pace.js';
import { planDelete } from '../plan/planner.js';
import { describeTrigger, firedByDelete } from '../plan/triggers.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import type { Finding } from './finding.js';

/** `"items_order_fkey" of "shop"."items"`. */
export function describeKey({ name, referencing }: ForeignKey): string {
  return `${quoteName(name)} of ${quoteRelation(referencing)}`;
}

/** The keys whose actions the proxy performs. */
export function performed({ keys }: Graph): readonly ForeignKey[] {
  return keys.filter(({ performer }) => performer === 'proxy');
}

/** What the configuration says, and does not hold in this database; and whether it lets anything cascade. */
export function configurationFindings(
  { problems }: Graph,
  { mode }: Pick<Config['cascade'], 'mode'>,
): readonly Finding[] {
  const found = (level: Finding['level'], text: string): Finding => ({
    level,
    check: 'configuration',
    text,
    remedy: null,
  });
  return [
    ...problems.map(({ text }) => found('problem', `${text}.`)),
    ...(mode === 'off'
      ? [found('note', 'cascade.mode is off: nothing cascades. What is said here holds when it is on.')]
      : []),
  ];
}

/** The tables of which no row can be deleted through pgcascade, or none with what references it: the cascade cannot be planned. */
export async function refusedFindings(
  graph: Graph,
  { unsupported }: Pick<Config['cascade'], 'unsupported'>,
): Promise<readonly Finding[]> {
  const found = new Map<string, Finding>();
  for (const relation of referencedRelations(graph)) {
    const error = await refusalOf(graph, relation);
    if (!error) continue;
    const passes = unsupported === 'pass' && error.unexpandable;
    const outcome = passes ? 'passed as it is, and nothing cascades' : 'refused';
    found.set(error.message, {
      level: 'problem',
      check: 'refused',
      text: `A DELETE is ${outcome} (${error.errorName}): ${error.message}.`,
      remedy: error.hint ?? null,
    });
  }
  return [...found.values()];
}

/** Why no DELETE from a relation can be carried out, if none can. */
async function refusalOf(graph: Graph, relation: Relation): Promise<ProxyError | undefined> {
  try {
    await inSlices(planDelete(graph, [{ relation, only: false, view: undefined }]));
    return undefined;
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
}

/** Keys whose referencing rows are found by reading the whole table, each time, though it could have an index. */
export function indexFindings(graph: Graph): readonly Finding[] {
  return performed(graph)
    .filter((key) => !key.period && key.referencing.kind !== 'f' && !isIndexed(graph, key))
    .map((key) => {
      const { referencing } = key;
      const columns = key.columns.map((each) => quoteName(each.referencing)).join(', ');
      // PostgreSQL makes none CONCURRENTLY on all partitions of a table.
      const how = isPartitioned(referencing) ? '' : 'CONCURRENTLY ';
      return {
        level: 'note',
        check: 'indexes',
        text: `No index begins with a column of the key ${describeKey(key)}: a DELETE from ${quoteRelation(key.referenced)} reads all of ${quoteRelation(referencing)}.`,
        remedy: `CREATE INDEX ${how}ON ${quoteRelation(referencing)} (${columns});`,
      };
    });
}

/** Of a partitioned table each partition may have its own. */
function isIndexed(graph: Graph, { columns, referencing }: ForeignKey): boolean {
  const hasIndex = ({ indexed }: Relation) => columns.some((each) => indexed.includes(each.referencing));
  const parts = graph.descendants(referencing).filter((each) => !isPartitioned(each));
  return hasIndex(referencing) || (isPartitioned(referencing) && parts.length > 0 && parts.every(hasIndex));
}

function isPartitioned({ kind }: Relation): boolean {
  return kind === 'p';
}

/** Triggers that cascades fire, and that may delete more, which is neither cascaded nor checked. */
export function triggerFindings(graph: Graph, reject: boolean): readonly Finding[] {
  const targets = referencedRelations(graph).map((relation) => ({ relation, only: false }));
  const what = reject
    ? 'a statement that fires it is refused (cascade.triggers: reject).'
    : 'what it deletes is neither cascaded nor checked.';
  return firedByDelete(graph, targets).map((fired) => ({
    level: 'note',
    check: 'triggers',
    text: `The ${describeTrigger(fired)} may delete rows: ${what}`,
    remedy: null,
  }));
}

function referencedRelations(graph: Graph): readonly Relation[] {
  return [...new Set(performed(graph).map(({ referenced }) => referenced))];
}
