/** Reads REFERENCES and what stands after it. */
import type { Action } from '../graph/catalog/key-settings.js';
import type { Cursor } from './cursor.js';
import type { FileKey } from './definition.js';

const ACTIONS: readonly (readonly [Action, readonly string[]])[] = [
  ['cascade', ['CASCADE']],
  ['set null', ['SET', 'NULL']],
  ['set default', ['SET', 'DEFAULT']],
  ['restrict', ['RESTRICT']],
  ['no action', ['NO', 'ACTION']],
];

/**
 * @param name of the constraint
 * @returns one key; none where no REFERENCES with the name of a table is at hand
 */
export function readReferences(
  at: Cursor,
  name: string | undefined,
  columns: readonly string[],
): readonly FileKey[] {
  const { line } = at;
  if (!at.skip('REFERENCES')) return [];
  const referenced = at.relationName();
  if (referenced === undefined) return [];
  const referencedColumns = at.nameList();
  let action: Action = at.unwritten;
  let setColumns: readonly string[] | undefined;
  let [matchFull, deferred] = [false, false];
  for (;;) {
    if (at.skip('ON', 'DELETE')) {
      action = readAction(at);
      const listed = at.nameList();
      if (listed.length > 0) setColumns = listed;
    } else if (at.skip('ON', 'UPDATE')) {
      readAction(at);
      at.nameList();
    } else if (at.skip('MATCH')) matchFull = at.next()?.text.toUpperCase() === 'FULL';
    else if (at.skip('NOT', 'DEFERRABLE') || at.skip('DEFERRABLE')) continue;
    else if (at.skip('INITIALLY')) deferred = at.next()?.text.toUpperCase() === 'DEFERRED';
    else break;
  }
  const rules = { action, setColumns, matchFull, deferred, period: false };
  return [{ name, columns, referenced, referencedColumns, ...rules, line }];
}

function readAction(at: Cursor): Action {
  return ACTIONS.find(([, words]) => at.skip(...words))?.[0] ?? 'no action';
}
