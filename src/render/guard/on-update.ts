/** What is done for rows of a guarded statement that leave keys: cases that stop the statement, and follow-ups that carry out ON UPDATE. */
import { withNames } from '../own-names.js';
import { CHANGED_BY_BLOCK, renderBlock } from './circles.js';
import { Checks, type GuardCheck } from './guard-checks.js';
import type { Guarded, Returned } from './guarded.js';
import { LeftKeys } from './left-keys.js';
import { type FollowUp, LeftStatements, type Statement } from './left-statements.js';

/** What there is to check of the keys that its rows leave, and the cases in which the statement stops itself for one. */
export interface Changes {
  readonly checks: readonly GuardCheck[];
  readonly cases: readonly string[];
  /** A condition that is true, and hands on the keys that are left. */
  readonly handsOn: readonly string[];
  /** The statements that have to be executed after it, in their order. */
  readonly followUps: readonly FollowUp[];
}

/** In such a transaction a follow-up would see what the statement sees, and no row that has come to reference a left key meanwhile. */
const KEEPS_SNAPSHOT = `pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.=) ANY (ARRAY['repeatable read', 'serializable'])`;

/** A row that leaves a refused key stops the statement; the other keys that rows leave are handed on to the follow-ups. */
export function changesOf({ target: { relation }, changes, counts }: Guarded, columns: Returned): Changes {
  const checks = new Checks();
  const cases = changes.refused.map((key) =>
    checks.stop('referenced key', key, columns.leaves(key), relation.oid),
  );
  const [own] = changes.leaving;
  const [first] = own?.keys ?? [];
  if (own === undefined || first === undefined)
    return { checks: checks.all, cases, handsOn: [], followUps: [] };
  const left = new LeftKeys(own, columns);
  const statements = new LeftStatements(changes, left, checks);
  const followUps = changes.isCircular ? renderCircles(statements, counts) : renderLevels(statements, counts);
  const { isGarbled } = left;
  const areSeveral = left.areSeveral(columns.rows);
  cases.push(
    checks.stop('old snapshot', first, `${left.leavesAny} AND ${KEEPS_SNAPSHOT}`, relation.oid),
    ...(isGarbled ? [checks.stop('referenced key', first, isGarbled, relation.oid)] : []),
    ...(areSeveral ? [checks.stop('referenced key', first, areSeveral, relation.oid)] : []),
  );
  return { checks: checks.all, cases, handsOn: [left.handsOn(columns.rows)], followUps };
}

/** In PostgreSQL's order: level by level, and for each row from the oldest key on. What is deferred, and new keys, come last. */
function renderLevels(statements: LeftStatements, counts: boolean): readonly FollowUp[] {
  const all = [...statements.left.flatMap((left) => statements.actions(left)), ...statements.last()];
  return all.map(({ render, followed }, i) => {
    const result = i === all.length - 1 ? statements.reset : 'true';
    const isCounted = counts && followed !== undefined;
    const sql = render((count) => `SELECT ${isCounted ? `${result}, ${count}` : result}`);
    return { sql: withNames(sql), counts: isCounted ? [followed] : [] };
  });
}

/** The same where keys lead in circles, so that there is no last level: a block does all of it, but for what comes last. */
function renderCircles(statements: LeftStatements, counts: boolean): readonly FollowUp[] {
  const last = statements.last();
  const end = counts ? `${statements.reset}, ${CHANGED_BY_BLOCK}` : statements.reset;
  const ends: readonly Statement[] = last.length > 0 ? last : [{ render: (select) => select() }];
  return [
    { sql: withNames(renderBlock(statements, counts)), counts: [] },
    ...ends.map(({ render }, i) => {
      const isLast = i === ends.length - 1;
      const sql = withNames(render(() => `SELECT ${isLast ? end : 'true'}`));
      return { sql, counts: isLast && counts ? statements.followed : [] };
    }),
  ];
}
