/** What the configuration says that does not hold in one database: for the log, and to be counted. */

/**
 * `broken relation`: every DELETE from what it references is refused.
 * `missing relation`: the referenced table is not there, so that no row of it can be deleted.
 * `doubled relation`: a key of the catalog relates the same columns, or has the name.
 * `unmatched override`: no key of this database has such a name.
 * `contradicting overrides`: both match one key and give it different actions.
 * `not null`: SET NULL of a column that is NOT NULL, so that the server will refuse it.
 * `period`: an override of a key that is not emulated.
 */
export type ProblemKind =
  | 'broken relation'
  | 'missing relation'
  | 'doubled relation'
  | 'unmatched override'
  | 'contradicting overrides'
  | 'not null'
  | 'period';

export interface GraphProblem {
  readonly kind: ProblemKind;
  /** The same text is the same problem. */
  readonly text: string;
}
