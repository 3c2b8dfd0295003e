/** Carries out ON UPDATE of keys that lead in circles. Only the rows tell how many statements that takes, so a block on the server repeats them. */
import { quoteLiteral } from '../../sql/names.js';
import { ownName } from '../own-names.js';
import { isLateOnUpdate, type LeftKeys } from './left-keys.js';
import type { LeftStatements, Statement } from './left-statements.js';

/** The settings that the statement reads which is being executed, and that it hands keys on by. */
const [NOW, NEXT] = [quoteLiteral('pgcascade.left_now'), quoteLiteral('pgcascade.left_next')];
/** How many rows each has changed, with commas between the numbers. */
const CHANGED = quoteLiteral('pgcascade.changed');

const [NODES, ROWS, AT, DONE, COUNT, COUNTS] = ['nodes', 'rows', 'at', 'done', 'count', 'counts'].map(
  ownName,
) as [string, string, string, string, string, string];

/**
 * A block with a queue of changes, first come, first served, as PostgreSQL's own queue of triggers is: what a statement has changed
 * comes after everything that was changed before.
 *
 *     DO LANGUAGE plpgsql 'DECLARE
 *     pgc_nodes int4[]; pgc_rows text[]; pgc_at int4 := 1; pgc_done bool;
 *     BEGIN
 *     PERFORM set_config(''pgcascade.left_1'', ''[]'', true);
 *     IF length(current_setting(''pgcascade.left'', true)) > 2 THEN
 *     pgc_nodes := ARRAY[0];
 *     pgc_rows := ARRAY[current_setting(''pgcascade.left'', true)];
 *     END IF;
 *     WHILE pgc_at <= cardinality(pgc_nodes) LOOP
 *     PERFORM set_config(''pgcascade.left_now'', pgc_rows[pgc_at], true);
 *     IF pgc_nodes[pgc_at] = 0 THEN
 *     WITH … SELECT true INTO pgc_done WHERE …;
 *     IF length(current_setting(''pgcascade.left_next'', true)) > 2 THEN
 *     pgc_nodes := array_append(pgc_nodes, 1);
 *     pgc_rows := array_append(pgc_rows, current_setting(''pgcascade.left_next'', true));
 *     PERFORM set_config(''pgcascade.left_1'', …, true);
 *     END IF;
 *     ELSIF …
 *     END IF;
 *     pgc_rows[pgc_at] := NULL;
 *     pgc_at := pgc_at + 1;
 *     END LOOP;
 *     END'
 *
 * @param isCounted whether what it has changed is counted, in the setting CHANGED
 */
export function renderBlock(statements: LeftStatements, isCounted: boolean): string {
  const actions = statements.left.map((left) => statements.actions(left, { from: NOW, to: NEXT }));
  const isQueued = ({ leaving }: LeftKeys) => (actions[leaving.id] ?? []).length > 0;
  const branches = actions.flatMap((each, node) => {
    if (each.length === 0) return [];
    const steps = each.map((action) => stepOf(action, isQueued, isCounted)).join('\n');
    return [`IF ${NODES}[${AT}] OPERATOR(pg_catalog.=) ${node} THEN\n${steps}`];
  });
  const kept = statements.left
    .filter(isKept)
    .map((left) => `PERFORM ${set(left.setting, quoteLiteral('[]'))};`);
  const [own] = statements.left;
  const body = [
    `DECLARE\n${NODES} pg_catalog.int4[]; ${ROWS} pg_catalog.text[]; ${AT} pg_catalog.int4 := 1; ${DONE} pg_catalog.bool;`,
    ...(isCounted
      ? [
          `${COUNT} pg_catalog.int8; ${COUNTS} pg_catalog.int8[] := ARRAY[${statements.followed.map(() => 0).join(', ')}];`,
        ]
      : []),
    'BEGIN',
    ...kept,
    `IF ${isSome(own?.setting ?? NOW)} THEN\n${NODES} := ARRAY[0];\n${ROWS} := ARRAY[${get(own?.setting ?? NOW)}];\nEND IF;`,
    `WHILE ${AT} OPERATOR(pg_catalog.<=) pg_catalog.cardinality(${NODES}) LOOP`,
    `PERFORM ${set(NOW, `${ROWS}[${AT}]`)};`,
    `${branches.join('\nELS')}\nEND IF;`,
    `${ROWS}[${AT}] := NULL;\n${AT} := ${AT} OPERATOR(pg_catalog.+) 1;`,
    'END LOOP;',
    ...(isCounted ? [`PERFORM ${set(CHANGED, `pg_catalog.array_to_string(${COUNTS}, ',')`)};`] : []),
    'END',
  ];
  return `DO LANGUAGE plpgsql ${quoteLiteral(body.join('\n'))}`;
}

/** A setting's value, as `renderBlock` leaves it. */
export const CHANGED_BY_BLOCK = get(CHANGED);

/** One of the statements, and the code that puts what it has changed at the end of the queue. */
function stepOf(
  { render, followed, handsTo }: Statement,
  isQueued: (left: LeftKeys) => boolean,
  isCounted: boolean,
): string {
  const counts = isCounted && followed;
  const sql = render((count) =>
    counts ? `SELECT true, ${count} INTO ${DONE}, ${COUNT}` : `SELECT true INTO ${DONE}`,
  );
  const at = `${COUNTS}[${followed?.by}]`;
  const adds = counts ? [`${at} := ${at} OPERATOR(pg_catalog.+) ${COUNT};`] : [];
  const queues =
    handsTo && isQueued(handsTo)
      ? [
          `${NODES} := pg_catalog.array_append(${NODES}, ${handsTo.leaving.id});`,
          `${ROWS} := pg_catalog.array_append(${ROWS}, ${get(NEXT)});`,
        ]
      : [];
  const keeps =
    handsTo && isKept(handsTo) ? [`PERFORM ${set(handsTo.setting, joined(handsTo.setting))};`] : [];
  const next = [...queues, ...keeps];
  return [
    `${sql};`,
    ...adds,
    ...(next.length > 0 ? [`IF ${isSome(NEXT)} THEN`, ...next, 'END IF;'] : []),
  ].join('\n');
}

/** Whether the rows are looked at again when all is done. */
function isKept({ leaving: { by, written, keys } }: LeftKeys): boolean {
  return by !== undefined && (written.some(({ deferred }) => deferred) || keys.some(isLateOnUpdate));
}

/** Two lists in JSON as one: those of a setting, which may be empty, and those that are handed on now. */
function joined(setting: string): string {
  const [all, more] = [get(setting), get(NEXT)];
  return `CASE WHEN ${isSome(setting)} THEN pg_catalog.concat(pg_catalog.left(${all}, -1), ',', pg_catalog.substr(${more}, 2)) ELSE ${more} END`;
}

/** Whether a setting has a list in JSON that is not empty. */
function isSome(setting: string): string {
  return `pg_catalog.length(${get(setting)}) OPERATOR(pg_catalog.>) 2`;
}

function get(setting: string): string {
  return `pg_catalog.current_setting(${setting}, true)`;
}

function set(setting: string, value: string): string {
  return `pg_catalog.set_config(${setting}, ${value}, true)`;
}
