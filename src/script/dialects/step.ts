/** What a script does, in its order. Immutable. */

/**
 * `open` and `close`: the transaction, and what has to stand around it. `collect`: which rows go. `rule`: what fails the script before
 * anything is changed. `change`: SET NULL and SET DEFAULT. `delete`: leaves first. `verify`: what fails it after all changes.
 */
export type StepKind = 'open' | 'collect' | 'rule' | 'change' | 'delete' | 'verify' | 'close';

export interface Step {
  readonly kind: StepKind;
  /** For whoever reads the script: one line, without a full stop. */
  readonly about: string;
  /** Statements with what ends them, and commands of the program that runs the script; a line or several each. */
  readonly lines: readonly string[];
}

/** A rule that a row breaks, or that one may. */
export interface Rule {
  /** Of at most 60 characters: engines that raise an error of their own words name it. */
  readonly name: string;
  /** What is wrong where it is broken. */
  readonly message: string;
  /** `SELECT 1 FROM …`: it finds a row where the rule is broken. */
  readonly broken: string;
}
