import type { Action } from './catalog/key-settings.js';
import type { Relation } from './model.js';

/** SET DEFAULT of columns that have no default sets nulls. */
export function withoutDefaults(action: Action, from: Relation, columns: readonly string[]): Action {
  const isNull = (column: string) =>
    from.columns.some(({ name, constant }) => name === column && constant === 'NULL');
  return action === 'set default' && columns.every(isNull) ? 'set null' : action;
}
