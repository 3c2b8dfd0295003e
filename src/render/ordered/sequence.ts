/**
 * A plan as a sequence of statements, for what one statement cannot do or should not. In one transaction: the rows are found and
 * locked from the top down, and their keys collected; all rules are asked before anything is changed; then what stays is changed,
 * and the rest deleted from the leaves up. What others have committed meanwhile is found by a last question, and goes the
 * same way.
 */
import { oncePerPlan, type Plan } from '../../plan/plan.js';
import { hasParameters } from '../../sql/lexer/parameters.js';
import type { DeletingStatement } from '../../sql/statement/statement.js';
import { mayReturnImages } from '../returned-columns.js';
import { isDirect, type Root } from '../single/root.js';
import type { Spliced } from '../splice.js';
import { collectBelow, collectReturning, collectRoots, describeKeys } from './collecting.js';
import type { Collecting, Step } from './step.js';
import { sweep } from './sweeping.js';
import { checkAndChange, deleteBelow, deleteRows } from './writing.js';

export interface Sequence {
  /**
   * Executed first, with the client's own parameters: it gives one row, with an array for each column that the root returns. With the
   * client's RETURNING it gives the client's rows, each after its own keys.
   */
  readonly roots: Spliced;
  readonly returns: boolean;
  /** Tells the types of the keys where that has given no row. */
  readonly types: Collecting;
  /** How many columns that are. */
  readonly rootColumns: number;
  /** Of each level below, what is sent together. */
  readonly levels: readonly (readonly Collecting[])[];
  /** Executed one after the other, and sent together. */
  readonly writes: readonly Step[];
  /** The last of these deletes the client's own rows: its tag is the client's. */
  readonly last: Step;
  /** Answers `t` where all but the first has to be done once more; undefined where nothing can come in between. */
  readonly sweep: Step | undefined;
}

/**
 * @param plan with what tells the rows apart (identifiedPlan)
 * @returns undefined for a statement that only one statement can carry out
 */
export function renderSequence(
  text: string,
  statement: DeletingStatement,
  plan: Plan,
  roots: readonly Root[],
): Sequence | undefined {
  const [root, ...more] = roots;
  if (root === undefined || more.length > 0 || !plan.hasOrder) return undefined;
  if (obstacle(text, statement, root) !== undefined) return undefined;
  // A row that USING joins several times is there as often, and would be reached by a key when it has left that already.
  if (statement.selection?.using && plan.checks.some(({ kind }) => kind === 'order')) return undefined;
  return {
    roots: root.site.returning
      ? collectReturning(text, statement, root)
      : collectRoots(text, statement, root),
    returns: root.site.returning !== undefined,
    rootColumns: root.deletion.returns.length,
    ...below(plan),
  };
}

/** All its texts. */
export function textsOf({ roots, types, levels, writes, last, sweep }: Sequence): readonly string[] {
  return [roots, types, ...levels.flat(), ...writes, last, ...(sweep ? [sweep] : [])].map(({ sql }) => sql);
}

/** What is the same for all statements of a plan. */
const below = oncePerPlan((plan): Omit<Sequence, 'roots' | 'returns' | 'rootColumns'> => {
  const [root] = plan.deletions;
  if (root === undefined) throw new Error('a plan has a deletion of the client');
  return {
    types: describeKeys(plan, root),
    levels: collectBelow(plan),
    writes: [...checkAndChange(plan), ...deleteBelow(plan)],
    last: deleteRows(plan, root),
    sweep: sweep(plan),
  };
});

/** What in the client's statement stands against its rows being found by a SELECT; undefined where nothing does. */
export function obstacle(text: string, statement: DeletingStatement, root: Root): string | undefined {
  const { selection, sites, writes, outer } = statement;
  const { site, target } = root;
  if (outer !== undefined) return `a DELETE in ${outer}`;
  if (sites.length > 1 || writes.length > 0 || site.cte !== undefined)
    return `a ${statement.form} that changes something else`;
  if (!selection) return `a ${site.command} whose rows no SELECT finds`;
  if (target.view || !isDirect(root)) return 'a DELETE from a view';
  // FOR UPDATE OF takes a name without its schema.
  if (site.isNamesake) return 'a DELETE whose target is called as another table beside it';
  // A SELECT gives the same, unless USING finds a row several times, or the RETURNING tells a row as it was from the row as it is.
  if (site.returning && selection.using) return 'a DELETE with USING and RETURNING';
  if (mayReturnImages(text, site, selection.end)) return 'a RETURNING of OLD or NEW';
  if (site.returning) return undefined;
  // Bind gives values for all parameters.
  return hasParameters(text.slice(selection.end))
    ? 'a DELETE with parameters after its conditions'
    : undefined;
}
