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

/** What decides whether a difference is one that the README tells of. */
export interface Circumstances {
  /** The names of the SET DEFAULT keys that set anything but nulls, and their tables. */
  readonly defaults: ReadonlyMap<string, unknown>;
  /** Whether a key references rows that may natively be deleted in another order, as one of them is changed before. */
  readonly reordered: (key: string) => boolean;
}

/** @param start what the tables held before */
export function compared(
  native: Run,
  proxied: Run,
  start: readonly string[],
  circumstances: Circumstances,
): Comparison {
  const at = native.answers.findIndex((answers, i) => !alike(answers, proxied.answers[i] ?? []));
  if (at < 0 && alike(native.left, proxied.left))
    return { kind: 'same', failed: native.answers.flat().some((answer) => answer.startsWith('E ')) };
  const { refused } = proxied;
  if (refused) {
    const untouched = proxied.answers.length > 1 || alike(proxied.left, start);
    if (at === refused.step && untouched) return { kind: 'refused', name: refused.name };
  } else if (at >= 0) {
    const known = knownDifference(native, proxied, at, circumstances);
    if (known) return { kind: known };
  }
  return { kind: 'different', native, proxied };
}

/** @param at the step that was answered differently */
function knownDifference(
  native: Run,
  proxied: Run,
  at: number,
  { defaults, reordered }: Circumstances,
): 'another rule' | 'checked again' | undefined {
  const [one, other] = [native, proxied].map(({ answers }) => brokenRule(answers[at] ?? []));
  if (one && other && alike(native.left, proxied.left)) {
    // SET NULL puts rows where there is room, each side in an order of its own, and the next statement finds them so.
    const moved = native.answers
      .slice(0, at + 1)
      .flat()
      .some((answer) => CHANGED.test(answer));
    // Of several rows of one table one that is changed before it is deleted is natively the last.
    if (moved || [one.code, other.code].includes(NOT_NULL)) return 'another rule';
    if (reordered(one.key) || reordered(other.key)) return 'another rule';
    const table = one.unreferenced && other.unreferenced && defaults.get(one.key);
    const ofTable = [...defaults].filter(([, each]) => each === table).map(([name]) => name);
    if (table && ofTable.length > 1 && ofTable.includes(other.key)) return 'another rule';
  }
  // A row that was changed twice is checked by all of its keys, behind the second change, and one may reference what is
  // deleted by then.
  return one?.unreferenced && !defaults.has(one.key) ? 'checked again' : undefined;
}

const NOT_NULL = '23502';
const CHANGED = /^C (?:DELETE|MERGE|COPY|SELECT|INSERT|EXPLAIN)(?! 0)/;
interface BrokenRule {
  /** That of an integrity constraint violation. */
  readonly code: string;
  readonly key: string;
  /** What the key references is not there. */
  readonly unreferenced: boolean;
}

function brokenRule(answers: readonly string[]): BrokenRule | undefined {
  const error = answers.find((answer) => answer.startsWith('E C=23'));
  if (error === undefined) return undefined;
  return {
    code: error.slice(4, 9),
    key: / n=(.*) s=. t=/.exec(error)?.[1] ?? '',
    unreferenced: error.includes(' M=insert or update on table '),
  };
}

function alike(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, i) => each === other[i]);
}
