/** What the graph alone shows: no row is looked at. Pure. */
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

/** What the configuration says, and does not hold in this database. */
export function configurationFindings({ problems }: Graph): readonly Finding[] {
  return problems.map(({ text }) => ({
    level: 'problem',
    check: 'configuration',
    text: `${text}.`,
    remedy: null,
  }));
}

/** The tables of which no row can be deleted through pgcascade, because the cascade cannot be planned. */
export async function refusedFindings(graph: Graph): Promise<readonly Finding[]> {
  const found = new Map<string, Finding>();
  for (const relation of referencedRelations(graph)) {
    const error = await refusalOf(graph, relation);
    if (error)
      found.set(error.message, {
        level: 'problem',
        check: 'refused',
        text: `A DELETE is refused (${error.errorName}): ${error.message}.`,
        remedy: error.hint ?? null,
      });
  }
  return [...found.values()];
}

/** Why a DELETE from a relation cannot be planned, if it cannot. */
async function refusalOf(graph: Graph, relation: Relation): Promise<ProxyError | undefined> {
  try {
    await inSlices(planDelete(graph, [{ relation, only: false, view: undefined }]));
    return undefined;
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
}

/** Keys whose referencing rows are found by reading the whole table, each time. */
export function indexFindings(graph: Graph): readonly Finding[] {
  return performed(graph)
    .filter(
      ({ columns, referencing }) => !columns.some((each) => referencing.indexed.includes(each.referencing)),
    )
    .map((key) => {
      const columns = key.columns.map(({ referencing }) => quoteName(referencing)).join(', ');
      return {
        level: 'note',
        check: 'indexes',
        text: `No index begins with a column of the key ${describeKey(key)}: a DELETE from ${quoteRelation(key.referenced)} reads all of ${quoteRelation(key.referencing)}.`,
        remedy: `CREATE INDEX CONCURRENTLY ON ${quoteRelation(key.referencing)} (${columns});`,
      };
    });
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
