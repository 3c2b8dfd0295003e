/** Differences that the README tells of, each recognised by what causes it. */
import { alike, type Run } from './run.js';
import { type Key, type Schema, setsColumns, setsValues, type Table } from './schema.js';

/**
 * `rows moved`: several rules are broken, and a SET key changes rows of a table of which rows are deleted too. Natively a
 * changed row stands behind the others of its table, and what references it comes later.
 * `moved before`: the same, where an earlier statement has changed the rows: each side put them where it had room.
 * `set again`: of several rules one is about the new key of SET DEFAULT, in a table that other SET keys change too.
 * `not null`: of several rules one is about a column that takes no NULL.
 * `checked again`: natively a row that two SET keys change is checked by all of its keys, which the proxy does not do.
 */
export type Known = 'rows moved' | 'moved before' | 'set again' | 'not null' | 'checked again';

/** @param at the step that was answered differently */
export function knownDifference(native: Run, proxied: Run, at: number, schema: Schema): Known | undefined {
  const [one, other] = [native, proxied].map(({ answers }) => brokenRule(answers[at] ?? [], schema));
  if (one === undefined) return undefined;
  const setting = (table: Table) =>
    schema.keys.filter(({ from, action }) => from.table === table && setsColumns(action));
  if (other !== undefined && alike(native.left, proxied.left)) {
    const rules = [one, other];
    if (rules.some(({ code }) => code === NOT_NULL)) return 'not null';
    if (rules.some(({ key }) => key && movesRows(schema).has(key.to.table))) return 'rows moved';
    const tables = new Set(rules.map(({ unreferenced, key }) => unreferenced && key?.from.table));
    const [table] = tables;
    if (
      tables.size === 1 &&
      table &&
      setting(table).length > 1 &&
      rules.every(({ key }) => key && setsValues(key))
    )
      return 'set again';
    if (changedBefore(native, at) && schema.keys.some(({ action }) => setsColumns(action)))
      return 'moved before';
  }
  const { key, unreferenced } = one;
  const again = unreferenced && key !== undefined && !setsValues(key) && setting(key.from.table).length > 1;
  return again ? 'checked again' : undefined;
}

/** The tables whose rows may natively be deleted in another order than here. */
function movesRows({ tables, keys }: Schema): ReadonlySet<Table> {
  const actions = (table: Table) =>
    keys.filter(({ from }) => from.table === table).map(({ action }) => action);
  const moved = new Set(
    tables.filter((table) => actions(table).includes('CASCADE') && actions(table).some(setsColumns)),
  );
  // With them goes the order of what they take along; a set grows while it is gone through.
  for (const table of moved)
    for (const { action, from, to } of keys)
      if (action === 'CASCADE' && to.table === table) moved.add(from.table);
  return moved;
}

/** Whether an answer up to this one tells of rows that were deleted. */
function changedBefore({ answers }: Run, at: number): boolean {
  return answers
    .slice(0, at + 1)
    .flat()
    .some((answer) => CHANGED.test(answer));
}

const CHANGED = /^C (?:DELETE|MERGE|COPY|SELECT|INSERT|EXPLAIN)(?! 0)/;
const NOT_NULL = '23502';

interface BrokenRule {
  /** That of an integrity constraint violation. */
  readonly code: string;
  readonly key: Key | undefined;
  /** What the key references is not there. */
  readonly unreferenced: boolean;
}

function brokenRule(answers: readonly string[], { keys }: Schema): BrokenRule | undefined {
  const error = answers.find((answer) => answer.startsWith('E C=23'));
  if (error === undefined) return undefined;
  const name = / n=(.*) s=. t=/.exec(error)?.[1] ?? '';
  return {
    code: error.slice(4, 9),
    // A partition's copy of a key has a name of its own, made of the key's.
    key: keys.find((each) => each.name === name || name.replace(/_\d+$/, '') === each.name),
    unreferenced: error.includes(' M=insert or update on table '),
  };
}
