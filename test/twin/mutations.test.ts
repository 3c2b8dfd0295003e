import { expect, inject, test, vi } from 'vitest';
import type { Graph } from '../../src/graph/graph.js';
import type { Target } from '../../src/plan/plan.js';
import { useDatabase } from '../support/database.js';
import { startProxy } from '../support/proxy.js';
import { fuzz } from './fuzz.js';
import { MUTANTS, type Mutant, mutatedGraph } from './mutants.js';
import type { Difference } from './report.js';
import { OVERRIDES } from './schema-sql.js';
import { Twins } from './twins.js';

const now = vi.hoisted((): { mutant: Mutant } => ({ mutant: {} }));

vi.mock(import('../../src/plan/planner.js'), async (load) => {
  const original = await load();
  function* planDelete(graph: Graph, targets: readonly Target[]): ReturnType<typeof original.planDelete> {
    const plan = yield* original.planDelete(mutatedGraph(graph, now.mutant), targets);
    return plan && (now.mutant.plan?.(plan) ?? plan);
  }
  return { ...original, planDelete };
});

vi.mock(import('../../src/render/single/render.js'), async (load) => {
  const original = await load();
  type Rendering = typeof original.renderStatement;
  function* renderStatement(...given: Parameters<Rendering>): ReturnType<Rendering> {
    const rendered = yield* original.renderStatement(...given);
    const [text, , , roots] = given;
    return { ...rendered, sql: now.mutant.sql?.(rendered.sql, text, roots) ?? rendered.sql };
  }
  return { ...original, renderStatement };
});

const SEED = 7;
/** Within so many statements each mistake has to be seen. */
const MOST = 500;
const native = useDatabase();
const emulated = useDatabase();

/** How many statements it took to see the mutant's mistake; undefined where MOST did not. */
async function statementsUntilFound(mutant: Mutant): Promise<number | undefined> {
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
    let [statements, first] = [0, 0];
    while (statements < MOST) {
      const bounds = { statements: MOST - statements, differences: 1, shrinkFor: 0 };
      const figures = await fuzz(twins, { ...bounds, seed: SEED, first });
      statements += figures.statements;
      first += figures.cases;
      // A mistake in what is done, and not only one in the grammar.
      if (figures.differences.some(isOfRows)) return statements;
    }
    return undefined;
  } finally {
    twins.end();
    await proxy.stop();
    now.mutant = {};
  }
}

/** Whether what is answered first in another way than natively is not that the statement is not well-formed. */
function isOfRows({ native, proxied }: Difference): boolean {
  const told = native.answers.flat();
  const first = proxied.answers.flat().find((answer, i) => answer !== told[i]);
  return !/^E C=42/.test(first ?? '');
}

test('a planner without a mistake is not found out', async () => {
  expect(await statementsUntilFound({})).toBeUndefined();
}, 300_000);

test.each(Object.entries(MUTANTS))(
  'a planner is found out in which %s',
  async (name, mutant) => {
    const statements = await statementsUntilFound(mutant);
    console.log(`${name}: ${statements ?? `not in ${MOST}`} statements`);
    expect(statements).toBeLessThanOrEqual(MOST);
  },
  300_000,
);
