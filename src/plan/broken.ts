/** What the SQL of one check says of rows that break its rule. */
import type { ForeignKey } from '../graph/model.js';
import { quoteName } from '../sql/names.js';
import { checkMarker } from './violations.js';

export interface Broken {
  /** Finds any row that may break the rule: where it finds none, none does. */
  readonly suspects: string;
  /**
   * Selects whether it is checked at COMMIT, the place in PostgreSQL's order (the event that queued it, and its own), and
   * the marker of each violation.
   */
  readonly ordered: readonly string[];
  /** Selects the marker of any row that breaks the rule whatever the order. */
  readonly certain: readonly string[];
}

/** The marker of a check that names the referenced row `p`. */
export function referencedMarker(place: number, key: ForeignKey): string {
  return checkMarker(
    place,
    'p.tableoid',
    key.columns.map(({ to }) => `p.${quoteName(to)}`),
  );
}
