/** Runs generated cases, counts what came of them, and shrinks what differs. */
import fc from 'fast-check';
import { type Case, cases, type Statement, type Statements } from './case.js';
import type { Comparison } from './comparison.js';
import type { Difference } from './report.js';
import type { Twins } from './twins.js';

/** How the keys of the twin are that the proxy stands before; some of each where it is not said. */
export type Keys = 'emulated' | 'overridden' | 'enforced';

export interface FuzzOptions {
  readonly seed: number;
  /** Leaves out the cases before this one. */
  readonly first?: number;
  /** How many statements, at the least. */
  readonly statements: number;
  /** Stops after so many differences. */
  readonly differences: number;
  /** How long to look for a smaller case, in milliseconds; 0 is not at all. */
  readonly shrinkFor: number;
  readonly keys?: Keys;
  /** Those that delete, unless it is said. */
  readonly which?: Statements;
  readonly found?: (difference: Difference, name: string) => void;
  /** Is told of what docs/differences.md knows to differ, and by what name. */
  readonly knows?: (difference: Difference, name: string, what: string) => void;
}

export interface Figures {
  cases: number;
  statements: number;
  /** Statements that both sides answered with an error. */
  failed: number;
  /** What docs/differences.md knows to differ, by kind. */
  readonly known: Map<string, number>;
  /** By the name of the proxy's error. */
  readonly refused: Map<string, number>;
  /** How many statements have changed rows by what. */
  readonly shown: Map<string, number>;
  readonly differences: Difference[];
}

/** To make a schema takes longer than to try a statement on it.  */
const STATEMENTS: Readonly<Record<Statements, readonly [number, number]>> = {
  deletes: [4, 12],
  'deletes in batches': [4, 12],
  writes: [8, 30],
  'writes of new keys': [8, 30],
};

export async function fuzz(twins: Twins, options: FuzzOptions): Promise<Figures> {
  const { which = 'deletes' } = options;
  const figures: Figures = {
    cases: 0,
    statements: 0,
    failed: 0,
    known: new Map(),
    refused: new Map(),
    shown: new Map(),
    differences: [],
  };
  while (figures.statements < options.statements && figures.differences.length < options.differences) {
    const seed = caseSeed(options.seed, (options.first ?? 0) + figures.cases++);
    const [generated] = fc.sample(cases(STATEMENTS[which], which), {
      seed,
      numRuns: 1,
      unbiased: true,
    });
    if (!generated) continue;
    const { keys } = options;
    const given =
      keys === undefined
        ? generated
        : { ...generated, overridden: keys === 'overridden', enforced: keys === 'enforced' };
    const name = `seed ${options.seed}, case ${(options.first ?? 0) + figures.cases - 1}`;
    const difference = await firstDifference(twins, given, (result, statement) => {
      count(figures, result);
      if (result.kind === 'same') for (const name of result.shown) add(figures.shown, name);
      if (result.kind !== 'known' && result.kind !== 'refused') return;
      const what = result.kind === 'known' ? result.known : result.name;
      options.knows?.({ ...result, given: { ...given, statements: [statement] } }, name, what);
    });
    if (!difference) continue;
    const shrunk = options.shrinkFor > 0 ? await shrink(twins, difference, options) : difference;
    figures.differences.push(shrunk);
    options.found?.(shrunk, name);
  }
  return figures;
}

/** The seed of one case of a run, so that it can be had without those before it. */
export function caseSeed(seed: number, number: number): number {
  return (Math.imul(seed, 1_000_003) + number) | 0;
}

function count(figures: Figures, result: Comparison): void {
  figures.statements++;
  if (result.kind === 'same' && result.failed) figures.failed++;
  if (result.kind === 'known') add(figures.known, result.known);
  if (result.kind === 'refused') add(figures.refused, result.name);
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** @returns the case with no other statement than the first that is answered differently */
async function firstDifference(
  twins: Twins,
  given: Case,
  counted: (result: Comparison, statement: Statement) => void = () => {},
): Promise<Difference | undefined> {
  const prepared = await twins.prepare(given);
  for (const statement of given.statements) {
    const result = await prepared.compare(statement);
    counted(result, statement);
    if (result.kind === 'different') return { ...result, given: { ...given, statements: [statement] } };
  }
  return undefined;
}

async function shrink(
  twins: Twins,
  difference: Difference,
  { shrinkFor: time, which }: FuzzOptions,
): Promise<Difference> {
  let smallest = difference;
  const deadline = performance.now() + time;
  await fc.check(
    fc.asyncProperty(cases([1, 1], which), async (given) => {
      // An interrupt would leave a statement running.
      if (performance.now() > deadline) return true;
      const found = await firstDifference(twins, given);
      const same = found && likeness(found) === likeness(difference);
      if (found && same) smallest = found;
      return !same;
    }),
    { examples: [[difference.given]], numRuns: 1 },
  );
  return smallest;
}

/** What a difference looks like: the smaller case has to show the same one. */
function likeness({ native, proxied, given }: Difference): string {
  const one = native.answers.flat();
  const other = proxied.answers.flat();
  const at = one.findIndex((answer, i) => answer !== other[i]);
  const kinds = [one[at], other[at]].map((answer) => /^E C=\w+|^./.exec(answer ?? '')?.[0] ?? 'none');
  return [...kinds, given.statements[0]?.form].join();
}
