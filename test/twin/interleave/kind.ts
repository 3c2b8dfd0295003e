/** What a difference is. Each kind but `unknown` stands in docs/differences.md under "While others write" or "Guarded writes". */
export type Kind =
  | 'same'
  /** The answers and rows are the same: a step waited on one side only. */
  | 'waited elsewhere'
  /** The server itself does not answer the same twice, or wakes two at once, of which either may go on first. */
  | 'the server varies'
  /** Both sides ran into a deadlock, and another client was its victim. */
  | 'another victim'
  /** A broken rule ends the DELETE here, which natively waits for a row below first. */
  | 'rule at once'
  /** RESTRICT and NO ACTION see what the statement's snapshot shows, natively the newest rows. */
  | 'rule in the snapshot'
  /** A DELETE that waits has taken other rows below by then. */
  | 'locks in another order'
  /** A DELETE that was overtaken is made as if it had been sent when the other transaction had ended. */
  | 'sent again'
  /** An index decides which of several rows that break a rule is natively named. */
  | 'another row'
  /** A DELETE waits for the rows that it locks, where natively it fails by a rule before, and that ends in a deadlock. */
  | 'deadlock through locks'
  /** A DELETE after its locks goes by a snapshot of its own. */
  | 'after the locks'
  /** In a snapshot that stays a row below has been deleted or changed since. */
  | 'changed since'
  /** In a snapshot that stays a DELETE does not see a child, though who wrote it had locked the parent. */
  | 'written since'
  /** In a snapshot that stays no row may leave a key by which others reference it (PGC_GUARD_SNAPSHOT). */
  | 'refused in the snapshot'
  /** A new key references a row that came after the snapshot of the statement. */
  | 'referenced since'
  /** The server does not check NOT ENFORCED keys when children are written. */
  | 'nobody enforces'
  | 'unknown';
