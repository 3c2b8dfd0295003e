/** Both sides' answers to one statement, and what to think of them. */

/** What one side answered to each step, and what was left. */
export interface Run {
  readonly answers: readonly (readonly string[])[];
  readonly left: readonly string[];
  /** The step at which something was refused because keys are not enforced, and by what name. */
  readonly refused: { readonly step: number; readonly name: string } | undefined;
}

export type Comparison =
  | { readonly kind: 'same'; readonly failed: boolean }
  /** The proxy refused something, and did nothing: what came before was the same. */
  | { readonly kind: 'refused'; readonly name: string }
  /** README: both failed, for another of several broken rules; or the server checked a key again that it had not changed. */
  | { readonly kind: 'another rule' | 'checked again' }
  | { readonly kind: 'different'; readonly native: Run; readonly proxied: Run };

/**
 * @param start what the tables held before
 * @param defaults the names of the SET DEFAULT keys that set anything but nulls, and their tables
 */
export function compared(
  native: Run,
  proxied: Run,
  start: readonly string[],
  defaults: ReadonlyMap<string, unknown>,
): Comparison {
  const at = native.answers.findIndex((answers, i) => !alike(answers, proxied.answers[i] ?? []));
  if (at < 0 && alike(native.left, proxied.left))
    return { kind: 'same', failed: native.answers.flat().some((answer) => answer.startsWith('E ')) };
  const { refused } = proxied;
  if (refused) {
    const untouched = proxied.answers.length > 1 || alike(proxied.left, start);
    if (at === refused.step && untouched) return { kind: 'refused', name: refused.name };
  } else if (at >= 0) {
    const [one, other] = [native, proxied].map(({ answers }) => brokenRule(answers[at] ?? []));
    // SET NULL puts rows where there is room, each side in an order of its own, and the next statement finds them so.
    const moved = native.answers
      .slice(0, at + 1)
      .flat()
      .some((answer) => CHANGED.test(answer));
    if (one && other && (moved || [one, other].includes(NOT_NULL))) return { kind: 'another rule' };
    // A row that was changed twice is checked by all of its keys, behind the second change, and one may reference what is
    // deleted by then.
    const [again, instead] = [native, proxied].map(({ answers }) => checkedKey(answers[at] ?? []));
    if (again !== undefined && !defaults.has(again)) return { kind: 'checked again' };
    if (again !== undefined && instead !== undefined && defaults.get(again) === defaults.get(instead)) {
      const ofTable = [...defaults.values()].filter((table) => table === defaults.get(again));
      if (ofTable.length > 1) return { kind: 'another rule' };
    }
  }
  return { kind: 'different', native, proxied };
}

const NOT_NULL = '23502';
const CHANGED = /^C (?:DELETE|MERGE|COPY|SELECT|INSERT|EXPLAIN)(?! 0)/;
const CHECKED = /^E C=23503 .* M=insert or update on table .* n=(.*) s=. t=/;

/** The code of an integrity constraint violation. */
function brokenRule(answers: readonly string[]): string | undefined {
  return answers.map((answer) => /^E C=(23\w+)/.exec(answer)?.[1]).find((code) => code !== undefined);
}

/** The key that has no referenced row. */
function checkedKey(answers: readonly string[]): string | undefined {
  return answers.map((answer) => CHECKED.exec(answer)?.[1]).find((name) => name !== undefined);
}

function alike(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, i) => each === other[i]);
}
