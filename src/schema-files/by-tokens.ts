/**
 * Reads CREATE, ALTER and DROP TABLE from their tokens. What belongs to no column, key or reference is passed over: so it takes what
 * no grammar of another database knows as a whole (ENCODE, DISTKEY, IDENTITY, DEFERRABLE, storage and engine options).
 */
import type { Lexis } from '../sql/dialects/dialect.js';
import type { Statement } from '../sql/dialects/statements.js';
import { readColumn } from './column-by-tokens.js';
import { Cursor } from './cursor.js';
import type { Definition, FileKey, FileName, Parts } from './definition.js';
import { readReferences } from './references-by-tokens.js';

interface Collected {
  readonly columns: Parts['columns'][number][];
  primaryKey: readonly string[] | undefined;
  readonly keys: FileKey[];
}

const TEMPORARY = ['TEMP', 'TEMPORARY'];

/** @returns what the statement defines; nothing where it is none of those that define tables */
export function definitionsByTokens(statement: Statement, lexis: Lexis): readonly Definition[] {
  const at = new Cursor(statement.tokens, lexis);
  const { line } = statement;
  if (at.skip('USE')) {
    const schema = at.name();
    return schema === undefined ? [] : [{ kind: 'use', schema, line }];
  }
  if (at.skip('DROP', 'TABLE')) return dropped(at, line);
  if (at.skip('ALTER')) return altered(at, line);
  if (!at.skip('CREATE')) return [];
  at.skip('OR', 'REPLACE');
  at.skipAny(['GLOBAL'], ['LOCAL']);
  // A temporary table is none of the schema's.
  if (TEMPORARY.some((word) => at.isAt(word))) return [];
  at.skipAny(['UNLOGGED'], ['FOREIGN']);
  return at.skip('TABLE') ? created(at, line) : [];
}

function created(at: Cursor, line: number): readonly Definition[] {
  const ifNotThere = at.skip('IF', 'NOT', 'EXISTS');
  const table = at.relationName();
  if (table === undefined) return [];
  const parts: Collected = { columns: [], primaryKey: undefined, keys: [] };
  let isOpen = !at.isAt('(');
  if (at.skip('('))
    while (!at.isAtEnd && !at.skip(')')) {
      if (at.isAt('LIKE')) isOpen = true;
      readPart(at, parts);
      at.skip(',');
    }
  let withoutRowid = false;
  for (; !at.isAtEnd; at.nextWhole()) {
    withoutRowid ||= at.isAt('WITHOUT', 'ROWID');
    isOpen ||= at.isAt('AS') || at.isAt('SELECT') || at.isAt('LIKE');
  }
  return [
    {
      kind: 'create',
      table,
      line,
      ifNotThere,
      isOpen,
      withoutRowid,
      parents: [],
      isPartition: false,
      ...parts,
    },
  ];
}

/** One element of the list: a column, or a constraint of the table. Ends before the comma or the parenthesis after it. */
function readPart(at: Cursor, parts: Collected): void {
  if (!readConstraint(at, parts) && !passesOver(at)) readColumn(at, parts);
  while (!at.isAtEnd && !at.isAt(',') && !at.isAt(')')) at.nextWhole();
}

/** @returns false where no constraint of the table is at hand */
function readConstraint(at: Cursor, parts: Collected): boolean {
  const isNamed = at.isAt('CONSTRAINT');
  let name: string | undefined;
  if (at.skip('CONSTRAINT')) {
    const isUnnamed = ['FOREIGN', 'PRIMARY', 'UNIQUE', 'CHECK'].some((word) => at.isAt(word));
    if (!isUnnamed) name = at.name();
  }
  if (at.skip('FOREIGN', 'KEY')) {
    at.skip('IF', 'NOT', 'EXISTS');
    // MySQL takes the name of an index here, which becomes the key's where that has none.
    if (!at.isAt('(')) name ??= at.name();
    const columns = at.nameList();
    parts.keys.push(...readReferences(at, name, columns));
    return true;
  }
  if (at.skip('PRIMARY', 'KEY')) {
    while (!at.isAtEnd && !at.isAt('(')) at.next();
    parts.primaryKey = at.nameList();
    return true;
  }
  return isNamed;
}

/** What stands in MySQL's, SQLite's and PostgreSQL's lists and is neither a column nor a key. */
const OTHER_PARTS: readonly (readonly string[])[] = [
  ['UNIQUE'],
  ['CHECK', '('],
  ['EXCLUDE', '('],
  ['EXCLUDE', 'USING'],
  ['FULLTEXT'],
  ['SPATIAL'],
  ['PERIOD', 'FOR'],
  ['LIKE'],
];

function passesOver(at: Cursor): boolean {
  if (OTHER_PARTS.some((words) => at.isAt(...words))) return true;
  // MySQL: KEY and INDEX, whose list of columns comes before any type could.
  return (at.isAt('KEY') || at.isAt('INDEX')) && at.isListNear();
}

function altered(at: Cursor, line: number): readonly Definition[] {
  at.skipAny(['FOREIGN'], ['IGNORE'], ['ONLINE']);
  if (!at.skip('TABLE')) return [];
  at.skip('IF', 'EXISTS');
  at.skip('ONLY');
  const table = at.relationName();
  if (table === undefined) return [];
  at.skip('*');
  const parts: Collected = { columns: [], primaryKey: undefined, keys: [] };
  const gone: string[] = [];
  const renames: Definition[] = [];
  while (!at.isAtEnd) {
    if (at.skip('ADD')) readAdded(at, parts);
    else if (at.skip('DROP')) {
      at.skipAny(['CONSTRAINT'], ['COLUMN'], ['FOREIGN', 'KEY']);
      at.skip('IF', 'EXISTS');
      gone.push(at.name() ?? '');
    } else if (at.skip('MODIFY')) {
      at.skip('COLUMN');
      readPart(at, parts);
    } else if (at.skip('CHANGE')) renames.push(...changedColumn(at, table, parts, line));
    else if (at.skip('RENAME')) renames.push(...renamed(at, table, line));
    while (!at.isAtEnd && !at.skip(',')) at.nextWhole();
  }
  return [...renames, { kind: 'alter', table, line, dropped: gone, changed: [], partitions: [], ...parts }];
}

/** MySQL's `CHANGE old new type …`. */
function changedColumn(at: Cursor, table: FileName, parts: Collected, line: number): readonly Definition[] {
  at.skip('COLUMN');
  const column = at.name();
  const before = parts.columns.length;
  readPart(at, parts);
  const to = parts.columns[before]?.name;
  return column === undefined || to === undefined ? [] : [{ kind: 'rename', table, to, column, line }];
}

function readAdded(at: Cursor, parts: Collected): void {
  at.skip('COLUMN');
  at.skip('IF', 'NOT', 'EXISTS');
  if (!at.skip('(')) {
    readPart(at, parts);
    return;
  }
  while (!at.isAtEnd && !at.skip(')')) {
    readPart(at, parts);
    at.skip(',');
  }
}

function renamed(at: Cursor, table: FileName, line: number): readonly Definition[] {
  if (at.isAt('CONSTRAINT') || at.isAt('INDEX') || at.isAt('KEY')) return [];
  at.skip('COLUMN');
  at.skip('AS');
  const first = at.isAt('TO') ? undefined : at.name();
  const isColumn = at.skip('TO');
  const second = at.relationName()?.name;
  if (second !== undefined && isColumn) return [{ kind: 'rename', table, to: second, column: first, line }];
  return first === undefined ? [] : [{ kind: 'rename', table, to: first, column: undefined, line }];
}

function dropped(at: Cursor, line: number): readonly Definition[] {
  at.skip('IF', 'EXISTS');
  const tables: FileName[] = [];
  do {
    const table = at.relationName();
    if (table) tables.push(table);
  } while (at.skip(','));
  return [{ kind: 'drop', tables, line }];
}
