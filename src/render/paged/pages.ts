/**
 * A plan as pages: transactions of a limited number of rows, one after the other, each from the leaves up. Whatever interrupts
 * them, no row is left that references one which is gone; and the same statement again goes on where they stopped.
 */
import { ProxyError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { oncePerPlan, type Plan } from '../../plan/plan.js';
import { quoteRelation } from '../../sql/names.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { collectRoots } from '../ordered/collecting.js';
import { obstacle } from '../ordered/sequence.js';
import type { Collecting, Step } from '../ordered/step.js';
import { harmlessQuestion } from '../single/harmless-question.js';
import { reevaluationObstacle } from '../single/reevaluation.js';
import type { Root } from '../single/root.js';
import type { Spliced } from '../splice.js';
import { askAll } from './ask-all.js';
import { interferingCode } from './interfering-code.js';
import { askRules, endPage, findPage, writePage } from './page-steps.js';
import { type PagedPlan, type PageNode, pagedPlan } from './paged-plan.js';

export interface Pages {
  /** Rows that a page may take. */
  readonly rows: number;
  /** Asked once before anything is deleted, with the client's own parameters: it fails where a rule is broken, and counts the client's rows. */
  readonly ask: Spliced | undefined;
  /** The question whether a WHERE may be evaluated again for each page: `t`. */
  readonly harmless: string;
  /** Begins each page, with the client's own parameters: some of the client's rows. */
  readonly roots: Spliced;
  readonly nodes: readonly PageNode[];
  /** Of each level below the client's rows, what is sent together, with the place of its node. */
  readonly levels: readonly (readonly { readonly node: number; readonly step: Collecting }[])[];
  readonly rules: readonly Step[];
  readonly writes: readonly { readonly node: number; readonly step: Step }[];
  /** That of the writes which deletes the client's own rows. */
  readonly clients: Step;
  readonly end: Step | undefined;
}

/**
 * @param plan with what tells all rows apart (wholePlan)
 * @param rows that a page may take
 * @param sharing as that of Graph
 * @throws ProxyError PGC_BATCH for what cannot be done in pages
 */
export function renderPages(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
  rows: number,
  sharing: Graph['sharing'],
): Pages {
  const [root, ...more] = roots;
  const what =
    root && more.length === 0
      ? problemOf(text, statement, plan, root, sharing)
      : 'several DELETEs in one statement';
  const { selection } = statement;
  if (root === undefined || selection === undefined || what !== undefined) {
    const table = roots.map(({ target: { relation } }) => quoteRelation(relation)).join(', ');
    throw new ProxyError('PGC_BATCH', { table, what: what ?? statement.form });
  }
  const paged = pagedPlan(plan);
  // A row of the client's may be taken as one that follows from another, where it is not known whose it is.
  const own = new Set(sharing(root.target.relation));
  const mixes = plan.deletions.some(({ origin, relation }) => origin === 'key' && own.has(relation));
  return {
    rows,
    ask: plan.checks.length > 0 || mixes ? askAll(text, statement, root, plan) : undefined,
    harmless: harmlessQuestion(
      selection.names,
      plan,
      true,
      interferingCode(selection.names, root, plan, sharing),
    ),
    roots: collectRoots(text, statement, root, rows + 1),
    nodes: paged.nodes,
    levels: levelsOf(paged, rows),
    ...below(plan),
  };
}

/** The system columns that a lock writes into a row (heapam.c, heap_lock_tuple). */
const WRITTEN_BY_LOCKS: readonly string[] = ['xmax', 'cmin', 'cmax'];

/** All its texts. */
export function textsOfPages({ ask, roots, levels, rules, writes, end }: Pages): readonly string[] {
  const steps = [...levels.flat(), ...writes].map(({ step }) => step);
  return [roots, ...(ask ? [ask] : []), ...steps, ...rules, ...(end ? [end] : [])].map(({ sql }) => sql);
}

const below = oncePerPlan((plan): Pick<Pages, 'rules' | 'writes' | 'clients' | 'end'> => {
  const paged = pagedPlan(plan);
  const writes = writePage(paged);
  const clients = writes.find(({ node }) => node === 0)?.step;
  if (clients === undefined) throw new Error('a plan has a deletion of the client');
  return { rules: askRules(plan), writes, clients, end: endPage(paged) };
});

function levelsOf({ plan, nodes }: PagedPlan, rows: number): Pages['levels'] {
  const depths = [...new Set(nodes.map(({ depth }) => depth))].sort((a, b) => a - b);
  return depths
    .map((depth) =>
      nodes.flatMap((node, i) =>
        node.kind !== 'client' && node.depth === depth ? [{ node: i, step: findPage(plan, node, rows) }] : [],
      ),
    )
    .filter((level) => level.length > 0);
}

/** What stands against it: a later page would find other rows, or the order of rows decides what becomes of them. */
function problemOf(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  root: Root,
  sharing: Graph['sharing'],
): string | undefined {
  const problem = obstacle(text, statement, root);
  if (problem !== undefined) return problem;
  if (root.site.returning) return 'a RETURNING';
  const gone = statement.selection && reevaluationObstacle(statement.selection.names, root, plan, sharing);
  if (gone !== undefined) return gone;
  const locked = statement.selection?.names.functions.find((name) => WRITTEN_BY_LOCKS.includes(name));
  if (locked !== undefined) return `a WHERE that looks at ${locked}, which changes where a row is locked`;
  if (root.deletion.inherits) return 'a table with inheritance children';
  if (plan.keys.some(({ action }) => action === 'set default')) return 'a key with SET DEFAULT';
  const own = new Set(sharing(root.target.relation));
  const nulled = plan.keys.find(({ action, referencing }) => action === 'set null' && own.has(referencing));
  if (nulled !== undefined)
    return `key "${nulled.name}", which changes rows that the WHERE may look at again`;
  const check = plan.checks.find((each) => each.kind !== 'rows' || each.gone !== 'none');
  return check && `key "${check.key.name}", which matters to rows that go by another key`;
}
