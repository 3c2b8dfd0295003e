/** What a statement did on one side. */

/** What one side answered to each step, and what was left. */
export interface Run {
  readonly answers: readonly (readonly string[])[];
  readonly left: readonly string[];
  /** Rows that reference what is not there; asked for only where a part may be gone. */
  readonly orphans: readonly string[];
  /** The step at which something was refused because keys are not enforced, and by what name. */
  readonly refused: { readonly step: number; readonly name: string } | undefined;
}

export function alike(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, i) => each === other[i]);
}
