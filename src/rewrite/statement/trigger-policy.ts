/** What becomes of a statement that fires triggers which may delete (cascade.triggers). Pure. */
import { ProxyError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import type { Relation } from '../../graph/model.js';
import { describeTrigger, type FiringTrigger } from '../../plan/triggers.js';
import { quoteName, quoteRelation } from '../../sql/names.js';

export type TriggerPolicy = 'warn' | 'reject' | 'pass';

/** What the configuration says to triggers that may delete: warnings for the log, or a refusal. */
export type TriggerVerdict =
  | { readonly kind: 'accepted'; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly error: ProxyError };

/**
 * @param fired the triggers that the statement fires, and that may delete
 * @param named the relations that the statement names, for the error
 */
export function judgeTriggers(
  fired: readonly FiringTrigger[],
  named: readonly { readonly relation: Relation }[],
  { graph, triggers }: { readonly graph: Graph; readonly triggers: TriggerPolicy },
): TriggerVerdict {
  const [first] = fired;
  // Where the server performs all keys, what a trigger deletes cascades as it should.
  if (first === undefined || triggers === 'pass' || !graph.hasKeys) return { kind: 'accepted', warnings: [] };
  const table = [...new Set(named.map(({ relation }) => quoteRelation(relation)))].join(', ');
  if (triggers === 'reject') {
    const { on, trigger } = first;
    const values = { table, trigger: quoteName(trigger.name), on: quoteRelation(on) };
    return { kind: 'refused', error: new ProxyError('PGC_TRIGGER', values) };
  }
  return {
    kind: 'accepted',
    warnings: fired.map(
      (each) =>
        `${describeTrigger(each)} may delete rows: that is neither cascaded nor checked (cascade.triggers)`,
    ),
  };
}
