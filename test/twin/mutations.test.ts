/** Each planner of mutants.ts is found out by the fuzzer, in the cases in which it does anything else than the one without a mistake. */
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, inject, test, vi } from 'vitest';
import type { Graph } from '../../src/graph/graph.js';
import type { Steps } from '../../src/pace.js';
import type { Plan, Target } from '../../src/plan/plan.js';
import { atOnce } from '../support/at-once.js';
import { useDatabase } from '../support/database.js';
import { startProxy } from '../support/proxy.js';
import { fuzz } from './fuzz.js';
import { MUTANTS, type Mutant, mutatedGraph } from './mutants.js';
import { type Difference, reproduction } from './report.js';
import { OVERRIDES } from './schema-sql.js';
import { Twins } from './twins.js';

/** Whether a mutant would have planned, or written, something else. */
type IsOther = (mutant: Mutant) => boolean;

/** `made` has an entry for whatever is planned and written. */
const now = vi.hoisted((): { mutant: Mutant; made: IsOther[] } => ({ mutant: {}, made: [] }));

vi.mock(import('../../src/plan/planner.js'), async (load) => {
  const original = await load();
  function* planDelete(graph: Graph, targets: readonly Target[]): ReturnType<typeof original.planDelete> {
    function* planBy(mutant: Mutant): Steps<Plan | undefined> {
      const plan = yield* original.planDelete(mutatedGraph(graph, mutant), targets);
      return plan && (mutant.plan?.(plan) ?? plan);
    }
    const plan = yield* planBy(now.mutant);
    now.made.push((mutant) => !isDeepStrictEqual(atOnce(planBy(mutant)), plan));
    return plan;
  }
  return { ...original, planDelete };
});

vi.mock(import('../../src/render/single/render.js'), async (load) => {
  const original = await load();
  type Rendering = typeof original.renderStatement;
  function* renderStatement(...given: Parameters<Rendering>): ReturnType<Rendering> {
    const rendered = yield* original.renderStatement(...given);
    const [text, , , roots] = given;
    const sqlBy = (mutant: Mutant) => mutant.sql?.(rendered.sql, text, roots) ?? rendered.sql;
    now.made.push((mutant) => sqlBy(mutant) !== rendered.sql);
    return { ...rendered, sql: sqlBy(now.mutant) };
  }
  return { ...original, renderStatement };
});

const SEED = 14;
/** Within so many statements each mistake has to be seen. */
const MOST = 200;
const native = useDatabase();
const emulated = useDatabase();

/** A case as the planner without a mistake went through it. */
interface Tried {
  readonly statements: number;
  readonly differences: readonly Difference[];
  readonly made: readonly IsOther[];
}
const tried: Tried[] = [];

beforeAll(async () => {
  await withMutant({}, async (tryCase) => {
    for (let statements = 0; statements < MOST; statements += tried.at(-1)?.statements ?? 0)
      tried.push(await tryCase(tried.length));
  });
}, 300_000);

/** Calls `use` with what runs one case of the fuzzer's through a proxy with the mutant. */
async function withMutant<T>(
  mutant: Mutant,
  use: (tryCase: (first: number) => Promise<Tried>) => Promise<T>,
): Promise<T> {
  now.mutant = mutant;
  const proxy = await startProxy({ cascade: { overrides: OVERRIDES } });
  const server = inject('postgres');
  const other = { ...server, database: emulated.name };
  const twins = await Twins.connect({ ...server, database: native.name }, other, {
    ...other,
    host: proxy.host,
    port: proxy.port,
  });
  try {
    return await use(async (first) => {
      now.made = [];
      const figures = await fuzz(twins, { seed: SEED, first, statements: 1, differences: 1, shrinkFor: 0 });
      return { ...figures, made: now.made };
    });
  } finally {
    twins.end();
    await proxy.stop();
    now.mutant = {};
  }
}

/**
 * How many statements it took to see the mutant's mistake; undefined where MOST did not. A case in which the mutant plans and
 * writes what the planner without a mistake did would end as it did there, so it counts, and is not run again.
 */
function statementsUntilFound(mutant: Mutant): Promise<number | undefined> {
  return withMutant(mutant, async (tryCase) => {
    let statements = 0;
    for (let number = 0; statements < MOST; number++) {
      const known = tried[number];
      const isOther = known === undefined || known.made.some((each) => each(mutant));
      const { statements: more, differences } = isOther ? await tryCase(number) : known;
      statements += more;
      // A mistake in what is done, and not only one in the grammar.
      if (differences.some(isOfRows)) return statements;
    }
    return undefined;
  });
}

/** Whether what is answered first in another way than natively is not that the statement is not well-formed. */
function isOfRows({ native, proxied }: Difference): boolean {
  const told = native.answers.flat();
  const first = proxied.answers.flat().find((answer, i) => answer !== told[i]);
  return !/^E C=42/.test(first ?? '');
}

test('a planner without a mistake does on random schemas what is done natively', () => {
  expect(tried.flatMap(({ differences }) => differences).map(reproduction)).toEqual([]);
});

test.each(Object.entries(MUTANTS))(
  'a planner is found out in which %s',
  async (name, mutant) => {
    const statements = await statementsUntilFound(mutant);
    console.log(`${name}: ${statements ?? `not in ${MOST}`} statements`);
    expect(statements).toBeLessThanOrEqual(MOST);
  },
  300_000,
);
