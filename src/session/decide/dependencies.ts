/** What the statements of a text delete from, and what they execute. */
import type { RelationName } from '../../sql/names.js';
import { executedBy, type Statement, targetsOf } from '../../sql/statement/statement.js';
import type { Policy } from '../policy/policy.js';
import { isUndecided, targetsOfPrepared } from './prepared-statement.js';
import type { SqlPrepared } from './sql-prepared.js';

export interface Dependencies {
  /** The relations that the statements and the prepared ones that they execute delete from. */
  readonly names: readonly RelationName[];
  /** The names of the prepared statements that are executed. */
  readonly executed: readonly string[];
  /** The first of them that was passed on by another policy, if any: what it deletes from is not known. */
  readonly undecided: string | undefined;
  /** Nothing has to be expanded or refused, whatever the catalog says. */
  readonly isNone: boolean;
}

export function dependenciesOf(
  statements: readonly Statement[],
  inSql: SqlPrepared,
  policy: Policy,
): Dependencies {
  const executed = statements.flatMap(executedBy);
  const prepared = executed.map((name) => inSql.named(name));
  const names = [...statements.flatMap(targetsOf), ...prepared.flatMap(targetsOfPrepared)];
  const runsCode = policy.refusesCode && statements.some(({ meaning }) => meaning.kind === 'code');
  const executesDelete = prepared.some((each) => each?.rewrite !== undefined);
  const undecided = executed.find((_, i) => prepared[i] && isUndecided(prepared[i], policy));
  const isNone = names.length === 0 && !executesDelete && !runsCode && undecided === undefined;
  return { names, executed, undecided, isNone };
}

/** Whether what the statements do depends on what the names of prepared statements stand for, or changes that. */
export function concernsPrepared(statements: readonly Statement[]): boolean {
  return statements.some(
    (statement) => statement.meaning.kind === 'release' || executedBy(statement).length > 0,
  );
}

/** Whether all statements are sent as they are, and nothing about their answers has to be known. */
export function isPassed(statements: readonly Statement[], refusesCode: boolean): boolean {
  return statements.every(({ meaning: { kind } }) => kind === 'other' || (kind === 'code' && !refusesCode));
}
