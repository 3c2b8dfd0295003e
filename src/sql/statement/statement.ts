/** What the statements of a text are, as far as deleting goes. */

import type { RelationName } from '../names.js';
import { type Node, parse, type RawStatement } from '../parser/parser.js';
import { characterCounter, indexAt, readSource, type Token } from '../parser/source.js';
import { asList, asNode, node, relationName, stringOf } from '../parser/tree.js';
import { differsInValues } from './compared.js';
import { type Executed, executed, findDeletes, formOf, isPlainExplain } from './deletes.js';
import { isRefused } from './refused.js';
import { type Unsettling, unsettles } from './unsettling.js';
import { type DeletingStatement, readDeleting, readWriting, type WritingStatement } from './write-site.js';
import { findWrites, type Write } from './writes.js';

export type { InTurn } from './execution-order.js';
export type { CteSite, Site } from './sites.js';
export type { DeletingStatement, WriteSite, WritingQuery, WritingStatement } from './write-site.js';
export type { Write } from './writes.js';

/** A statement that deletes in a way that is not expanded, or runs a prepared one that might delete. */
export interface EnclosedDelete {
  readonly kind: 'enclosed';
  /** What it is, for the error. */
  readonly form: string;
  readonly targets: readonly RelationName[];
  /** What it writes beside that. */
  readonly writes: readonly Write[];
  /** The prepared statements that it executes. */
  readonly executes: readonly Executed[];
  /** The name under which PREPARE keeps it. */
  readonly prepares: string | undefined;
}

export interface TruncateTarget {
  readonly name: RelationName;
  /** It says ONLY. */
  readonly only: boolean;
}

export interface TruncateStatement {
  readonly kind: 'truncate';
  readonly targets: readonly TruncateTarget[];
  readonly cascades: boolean;
  /** After the list of tables, in characters from the statement's start. */
  readonly listEnd: number;
}

export interface ExecuteStatement extends Executed {
  readonly kind: 'execute';
}

/** DEALLOCATE or DISCARD ALL: the server forgets a prepared statement, or all of them. */
export interface ReleaseStatement {
  readonly kind: 'release';
  readonly name: string | undefined;
}

/** DO or CALL: code that runs in the server, where nobody sees what it deletes. */
export interface CodeStatement {
  readonly kind: 'code';
  readonly form: 'DO' | 'CALL';
}

export interface OtherStatement {
  readonly kind: 'other';
}

export type Meaning =
  | DeletingStatement
  | TruncateStatement
  | ExecuteStatement
  | EnclosedDelete
  | WritingStatement
  | ReleaseStatement
  | CodeStatement
  | OtherStatement;

/** Where a statement stands in its text. */
export interface StatementPlace {
  /** In characters; white space and comments before it are left out. */
  readonly start: number;
  readonly end: number;
  /** Whether it may change what later statements of the same text mean. */
  readonly unsettles: Unsettling;
  /** The client sends its data, after the text: COPY … FROM STDIN. */
  readonly takesData: boolean;
}

export interface Statement extends StatementPlace {
  readonly meaning: Meaning;
}

/**
 * @returns the statements in their order, or undefined where the text is not PostgreSQL's SQL
 * @throws ProxyError PGC_TOO_LARGE
 */
export function readStatements(sql: string): readonly Statement[] | undefined {
  const read = readSource(sql);
  if (read === undefined) return undefined;
  const raw = parse(read.text);
  if (raw === undefined) return undefined;
  // Its places are of no interest, and to look for them takes longer than all the rest.
  if (raw.every(({ tree }) => isOther(tree))) return raw.map(() => OTHER);
  const source = Buffer.from(sql);
  const { tokens } = read;
  const characters = characterCounter(source);
  let next = 0;
  let before: { readonly text: string; readonly statement: Statement } | undefined;
  return raw.map((statement) => {
    while ((tokens[next]?.start ?? source.length) < statement.start) next++;
    const from = next;
    while ((tokens[next]?.end ?? source.length + 1) <= statement.end) next++;
    const own = tokens.slice(from, next);
    const first = own[0]?.start ?? statement.start;
    const last = own.at(-1)?.end ?? statement.end;
    const inside = (byte: number) => characters(byte) - characters(first);
    const place = { start: characters(first), end: characters(last) };
    const text = source.toString('utf8', first, last);
    // Of a string of one statement many times most is known from the one before.
    if (before && isSameButForValues(text, before)) return { ...before.statement, ...place };
    const found = {
      meaning: readMeaning(statement, own, inside),
      ...place,
      unsettles: unsettles(statement.tree, source.subarray(first, last)),
      takesData: takesData(statement.tree),
    };
    before = { text, statement: found };
    return found;
  });
}

/** Whether a statement is the one before it with other constants: then all places in it are the same. */
function isSameButForValues(
  text: string,
  before: { readonly text: string; readonly statement: Statement },
): boolean {
  const { meaning } = before.statement;
  return meaning.kind === 'deleting' && differsInValues(text, before.text, meaning.compared);
}

const OTHER: Statement = {
  meaning: { kind: 'other' },
  start: 0,
  end: 0,
  unsettles: 'never',
  takesData: false,
};

/** @param characters from the statement's start, of a byte of the text */
type MeaningReader = (value: Node, tokens: readonly Token[], characters: (byte: number) => number) => Meaning;

/** The statements whose type alone gives them a meaning here; all others have one by the deletes and writes in their trees. */
const MEANING_OF_TYPE = new Map<string, MeaningReader>([
  ['TruncateStmt', readTruncate],
  ['ExecuteStmt', (value) => ({ kind: 'execute', ...executed(value) })],
  ['DeallocateStmt', ({ name }) => ({ kind: 'release', name: stringOf(name) })],
  [
    'DiscardStmt',
    ({ target }) => (target === 'DISCARD_ALL' ? { kind: 'release', name: undefined } : { kind: 'other' }),
  ],
  ['DoStmt', () => ({ kind: 'code', form: 'DO' })],
  ['CallStmt', () => ({ kind: 'code', form: 'CALL' })],
]);

/** Whether nothing in a statement is of any concern here. */
function isOther(tree: Node): boolean {
  const [type = ''] = Object.keys(tree);
  return (
    !MEANING_OF_TYPE.has(type) &&
    (isPlainExplain(tree) || (findDeletes(tree).length === 0 && findWrites(tree).length === 0))
  );
}

function readMeaning(
  { tree }: RawStatement,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): Meaning {
  const found = node(tree, 'ExecuteStmt') ? [] : findDeletes(tree);
  if (found.length === 0 || isPlainExplain(tree)) return readRest(tree, tokens, characters);
  if (isRefused(tree)) return { kind: 'other' };
  return (
    readDeleting(tree, tokens, characters) ?? {
      kind: 'enclosed',
      form: formOf(tree),
      targets: found.flatMap((each) => each.targets),
      writes: findWrites(tree),
      executes: found.flatMap((each) => each.executes),
      prepares: stringOf(node(tree, 'PrepareStmt')?.name),
    }
  );
}

function readRest(tree: Node, tokens: readonly Token[], characters: (byte: number) => number): Meaning {
  const [type = ''] = Object.keys(tree);
  const read = MEANING_OF_TYPE.get(type);
  return (
    read?.(asNode(tree[type]), tokens, characters) ??
    readWriting(tree, tokens, characters) ?? { kind: 'other' }
  );
}

/** The same statements where nobody looks at what is written. */
export function withoutWrites(statements: readonly Statement[]): readonly Statement[] {
  if (!statements.some(({ meaning }) => meaning.kind === 'writing')) return statements;
  return statements.map((each) =>
    each.meaning.kind === 'writing' ? { ...each, meaning: { kind: 'other' } } : each,
  );
}

function readTruncate(
  value: Node,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): TruncateStatement {
  const relations = asList(value.relations).map((each) => asNode(asNode(each).RangeVar));
  // After the last name may stand an asterisk, or a parenthesis of ONLY (name).
  let at = indexAt(tokens, Number(relations.at(-1)?.location));
  while (/^(?:\.|\*|\))$/.test(tokens[at + 1]?.text ?? '')) at += tokens[at + 1]?.text === '.' ? 2 : 1;
  return {
    kind: 'truncate',
    targets: relations.map((each) => ({ name: relationName(each), only: each.inh !== true })),
    cascades: value.behavior === 'DROP_CASCADE',
    listEnd: characters(tokens[at]?.end ?? 0),
  };
}

/** The relations that a statement deletes from, and those that it changes beside them. */
export function targetsOf({ meaning }: Pick<Statement, 'meaning'>): readonly RelationName[] {
  switch (meaning.kind) {
    case 'deleting':
      return [...meaning.sites.map(({ target }) => target), ...meaning.writes.map(({ target }) => target)];
    case 'truncate':
      return meaning.targets.map(({ name }) => name);
    case 'enclosed':
      return [...meaning.targets, ...meaning.writes.map(({ target }) => target)];
    case 'writing':
      return meaning.writes.map(({ target }) => target);
    case 'execute':
    case 'release':
    case 'code':
    case 'other':
      return [];
  }
}

/** The prepared statements that a statement executes by name. */
export function executedBy({ meaning }: Pick<Statement, 'meaning'>): readonly string[] {
  if (meaning.kind === 'execute') return [meaning.name];
  return meaning.kind === 'enclosed' ? meaning.executes.map(({ name }) => name) : [];
}

function takesData(tree: Node): boolean {
  const copy = node(tree, 'CopyStmt');
  return (
    copy !== undefined && copy.is_from === true && copy.filename === undefined && copy.is_program !== true
  );
}
