/** What the statements of a text are, as far as deleting goes. */

import { findDeletes, formOf, isPlainExplain, modifies } from './deletes.js';
import { type Unsettling, unsettles } from './effects.js';
import type { RelationName } from './names.js';
import { type Node, parse, type RawStatement, scan, type Token } from './parser.js';
import { asNode, node, relationName, stringOf } from './tree.js';

/** A DELETE that stands alone, in the pieces from which an expanded statement is spliced. */
export interface DeleteStatement {
  readonly kind: 'delete';
  readonly target: RelationName;
  /** How the text itself calls the target's rows: its alias, else its name. */
  readonly alias: string;
  /** `DELETE FROM ONLY`. */
  readonly only: boolean;
  /** The text up to RETURNING, without what follows the statement. */
  readonly body: string;
  /** `WITH (OLD AS o, NEW AS n)` of a RETURNING, else empty. */
  readonly returningOptions: string;
  /** The list behind RETURNING and its place in the statement, in characters; undefined where there is none. */
  readonly returning: { readonly text: string; readonly start: number } | undefined;
}

/** A statement that deletes in another way, or runs a prepared one that might. */
export interface HiddenDelete {
  readonly kind: 'hidden';
  /** What it is, for the error: `WITH`, `MERGE`, `TRUNCATE`, … */
  readonly form: string;
  readonly targets: readonly RelationName[];
  /** The prepared statements it executes by name. */
  readonly executes: readonly string[];
  /** `TRUNCATE … CASCADE`. */
  readonly cascades: boolean;
  /** The name under which PREPARE keeps it. */
  readonly prepares: string | undefined;
}

/** DEALLOCATE or DISCARD ALL: the server forgets a prepared statement, or all of them. */
export interface ReleaseStatement {
  readonly kind: 'release';
  readonly name: string | undefined;
}

export interface OtherStatement {
  readonly kind: 'other';
}

export type Meaning = DeleteStatement | HiddenDelete | ReleaseStatement | OtherStatement;

export type Statement = Meaning & {
  /** Where it stands in the text, in characters; white space and comments before it are left out. */
  readonly start: number;
  readonly end: number;
  /** Whether it may change what later statements of the same text mean. */
  readonly unsettles: Unsettling;
};

/** @returns the statements in their order, or undefined where the text is not PostgreSQL's SQL */
export function readStatements(sql: string): readonly Statement[] | undefined {
  const raw = parse(sql);
  if (raw === undefined) return undefined;
  const source = Buffer.from(sql);
  const tokens = scan(sql).filter((token) => !token.isComment);
  const characters = characterCounter(source);
  let next = 0;
  return raw.map((statement) => {
    while ((tokens[next]?.start ?? source.length) < statement.start) next++;
    const from = next;
    while ((tokens[next]?.end ?? source.length + 1) <= statement.end) next++;
    const own = tokens.slice(from, next);
    const first = own[0]?.start ?? statement.start;
    const last = own.at(-1)?.end ?? statement.end;
    return {
      ...read(statement, source, own, first, last),
      start: characters(first),
      end: characters(last),
      unsettles: unsettles(statement.tree, source.toString('utf8', first, last)),
    };
  });
}

function read(
  raw: RawStatement,
  source: Buffer,
  tokens: readonly Token[],
  first: number,
  last: number,
): Meaning {
  const deletion = node(raw.tree, 'DeleteStmt');
  // PostgreSQL allows a modifying WITH only at the top level.
  if (deletion && !modifies(deletion.withClause ?? null))
    return readDelete(deletion, source, tokens, first, last);
  const released = readRelease(raw.tree);
  if (released) return released;
  const found = findDeletes(raw.tree);
  if (found.length === 0 || isPlainExplain(raw.tree)) return { kind: 'other' };
  return {
    kind: 'hidden',
    form: formOf(raw.tree),
    targets: found.flatMap((each) => each.targets),
    executes: found.flatMap((each) => each.executes),
    cascades: node(raw.tree, 'TruncateStmt')?.behavior === 'DROP_CASCADE',
    prepares: stringOf(node(raw.tree, 'PrepareStmt')?.name),
  };
}

function readRelease(tree: Node): ReleaseStatement | undefined {
  const deallocate = node(tree, 'DeallocateStmt');
  if (deallocate) return { kind: 'release', name: stringOf(deallocate.name) };
  return node(tree, 'DiscardStmt')?.target === 'DISCARD_ALL'
    ? { kind: 'release', name: undefined }
    : undefined;
}

function readDelete(
  deletion: Node,
  source: Buffer,
  tokens: readonly Token[],
  first: number,
  last: number,
): DeleteStatement {
  const relation = asNode(deletion.relation);
  const target = relationName(relation);
  const text = (start: number, end: number) => source.toString('utf8', start, end);
  const base = {
    kind: 'delete' as const,
    target,
    alias: stringOf(asNode(relation.alias).aliasname) ?? target.name,
    only: relation.inh !== true,
  };
  if (!deletion.returningClause)
    return { ...base, body: text(first, last), returningOptions: '', returning: undefined };

  const at = outermost(tokens, 'returning');
  const clause = tokens[at];
  if (clause === undefined) throw new Error('a RETURNING clause without its keyword');
  const hasOptions = Boolean(asNode(deletion.returningClause).options);
  const listAt = hasOptions ? afterParenthesis(tokens, at + 2) : at + 1;
  const list = tokens[listAt]?.start ?? last;
  return {
    ...base,
    body: text(first, clause.start),
    returningOptions: text(clause.end, list).trim(),
    returning: { text: text(list, last), start: text(first, list).length },
  };
}

/** The index of the first such keyword outside of all parentheses that is no name: not behind AS or a dot. */
function outermost(tokens: readonly Token[], keyword: string): number {
  let depth = 0;
  return tokens.findIndex((token, i) => {
    if (token.text === '(') depth++;
    if (token.text === ')') depth--;
    const before = tokens[i - 1]?.text.toLowerCase();
    const isName = before === 'as' || before === '.';
    return depth === 0 && !isName && token.isKeyword && token.text.toLowerCase() === keyword;
  });
}

/** The index behind the parenthesis that opens at `at`. */
function afterParenthesis(tokens: readonly Token[], at: number): number {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    if (tokens[i]?.text === '(') depth++;
    if (tokens[i]?.text === ')' && --depth === 0) return i + 1;
  }
  return tokens.length;
}

/** From bytes to characters; asked in ascending order, so that a long text is walked once. */
function characterCounter(source: Buffer): (byte: number) => number {
  let bytes = 0;
  let characters = 0;
  return (byte) => {
    characters += source.toString('utf8', bytes, byte).length;
    bytes = byte;
    return characters;
  };
}
