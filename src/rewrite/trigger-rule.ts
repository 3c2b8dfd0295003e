/** What becomes of a statement that fires triggers which may delete (cascade.triggers). Pure. */
import { ProxyError } from '../errors.js';
import type { Graph, Relation } from '../graph/model.js';
import { describeTrigger, type FiringTrigger } from '../plan/triggers.js';
import { quoteName, quoteRelation } from '../sql/names.js';

export type TriggerRule = 'warn' | 'reject' | 'pass';

/** @returns what is to be said of triggers that may delete, or why the statement is refused */
export function judgeTriggers(
  fired: readonly FiringTrigger[],
  named: readonly { readonly relation: Relation }[],
  { graph, triggers }: { readonly graph: Graph; readonly triggers: TriggerRule },
): { readonly warnings: readonly string[] } | ProxyError {
  const [first] = fired;
  // Where the server performs all keys, what a trigger deletes cascades as it should.
  if (first === undefined || triggers === 'pass' || !graph.hasKeys) return { warnings: [] };
  const table = [...new Set(named.map(({ relation }) => quoteRelation(relation)))].join(', ');
  if (triggers === 'reject') {
    const { on, trigger } = first;
    return new ProxyError('PGC_TRIGGER', { table, trigger: quoteName(trigger.name), on: quoteRelation(on) });
  }
  return {
    warnings: fired.map(
      (each) =>
        `${describeTrigger(each)} may delete rows: that is neither cascaded nor checked (cascade.triggers)`,
    ),
  };
}
