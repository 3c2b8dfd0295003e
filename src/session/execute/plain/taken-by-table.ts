/** How many rows of each table plain statements have changed or deleted, and by which action. */
import { type Plan, setsColumns } from '../../../plan/plan.js';
import type { Counted, CountedRows } from '../../../render/single/counts.js';

export class TakenByTable {
  readonly #counts = new Map<string, CountedRows>();

  /** @param plan its tables are listed whether or not they have such rows: first those that are updated, then those that are deleted from, leaves first */
  constructor({ deletions, keys }: Plan) {
    for (const { action, referencing: relation } of keys.filter(setsColumns))
      this.add({ relation, action: action === 'set null' ? action : 'set default' }, 0);
    for (const { origin, relation } of deletions.toReversed())
      this.add({ relation, action: origin === 'client' ? 'delete' : 'cascade' }, 0);
  }

  add(takes: Counted, rows: number): void {
    const { relation, action } = takes;
    const key = `${relation.oid} ${action}`;
    this.#counts.set(key, { ...takes, rows: rows + (this.#counts.get(key)?.rows ?? 0) });
  }

  get rows(): readonly CountedRows[] {
    return [...this.#counts.values()];
  }
}
