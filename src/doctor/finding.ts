/** What `pgcascade doctor` finds. */

/**
 * `problem`: something has to be done, and the command ends with 1.
 * `note`: it is as it is, and good to know.
 */
export type Level = 'problem' | 'note';

/** What was looked at, as the report names it. */
export type Check = 'server' | 'configuration' | 'orphans' | 'refused' | 'indexes' | 'rights' | 'triggers';

export interface Finding {
  readonly level: Level;
  readonly check: Check;
  /** What is so, in a sentence. */
  readonly text: string;
  /** What to do, in a sentence; null where nothing has to be done. */
  readonly remedy: string | null;
}
