/** A DELETE's text as that of a SELECT of the rows that it would delete. */

import type { Json, Node } from '../parser/parser.js';
import { indexAt, type Token } from '../parser/source.js';
import { asList, asNode, node, stringOf } from '../parser/tree.js';
import { nodesOf } from './deletes.js';

/** Where the two differ; all places in characters from the statement's start. */
export interface Selection {
  /** The word DELETE. */
  readonly verb: Range;
  /** The word USING, in whose place goes a comma. */
  readonly using: Range | undefined;
  /** Where the conditions end: before a RETURNING. */
  readonly end: number;
  readonly names: CalledNames;
}

/** The names of all that is called, without schemas. */
export interface CalledNames {
  readonly functions: readonly string[];
  /** Of types that something is cast to. */
  readonly types: readonly string[];
  readonly operators: readonly string[];
  readonly relations: readonly string[];
  /** Those that are read: without what it deletes from, unless it reads that as well. */
  readonly read: readonly string[];
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * @param statement the parser's node
 * @param tokens from its first one on; without comments
 * @param end where it ends
 * @returns undefined where no SELECT finds the same rows: for a MERGE, and for WHERE CURRENT OF
 */
export function readSelection(
  statement: Node,
  tokens: readonly Token[],
  characters: (byte: number) => number,
  end: number,
): Selection | undefined {
  const deletion = node(statement, 'DeleteStmt');
  const [verb] = tokens;
  if (!deletion || !verb || node(asNode(deletion.whereClause), 'CurrentOfExpr')) return undefined;
  const place = (token: Token) => ({ start: characters(token.start), end: characters(token.end) });
  const own = outside(tokens);
  const using = asList(deletion.usingClause).length > 0 ? own.find(afterName(deletion, own)) : undefined;
  const [returned] = asList(asNode(deletion.returningClause).exprs);
  const list = Number(asNode(asNode(returned).ResTarget).location);
  // Any before it are names, as those after it may be.
  const returning = returned && own.findLast((token) => token.start < list && is(token, 'returning'));
  return {
    verb: place(verb),
    using: using && place(using),
    end: returning ? characters(returning.start) : end,
    names: namesIn(statement, stringOf(asNode(deletion.relation).relname)),
  };
}

/** The first USING after the target's name, of which a keyword may be a part: s.using. */
function afterName({ relation }: Node, tokens: readonly Token[]): (token: Token, index: number) => boolean {
  let last = indexAt(tokens, Number(asNode(relation).location));
  while (tokens[last + 1]?.text === '.') last += 2;
  return (token, index) => index > last && is(token, 'using');
}

function is({ text, isWord }: Token, keyword: string): boolean {
  return isWord && text.toLowerCase() === keyword;
}

/** Those outside of all parentheses. */
function outside(tokens: readonly Token[]): readonly Token[] {
  let depth = 0;
  return tokens.filter(({ text }) => {
    if (text === '(') depth++;
    if (text === ')') depth--;
    return depth === 0;
  });
}

function namesIn(tree: Node, target: string | undefined): CalledNames {
  const nodes = nodesOf(tree);
  const relations = nodes.flatMap(([, { relname }]) => stringOf(relname) ?? []);
  const own = relations.indexOf(target ?? '');
  const last = (name: Json | undefined) => {
    const { sval } = asNode(asNode(asList(name).at(-1) ?? null).String);
    return sval === undefined ? [] : [String(sval)];
  };
  return {
    // A function of a row can be called as if it were a column: orgs.f, (orgs).f.
    functions: unique(
      nodes.flatMap(([, { funcname, fields, indirection, method }]) => [
        ...last(funcname),
        // TABLESAMPLE calls a function too, which is volatile.
        ...last(method),
        ...last(fields),
        // All columns: t.*
        ...(asNode(asList(fields).at(-1) ?? null).A_Star ? ['*'] : []),
        ...asList(indirection).flatMap((part) => last([part])),
      ]),
    ),
    // A cast can be written as a call: email('…').
    types: unique(
      nodes.flatMap(([, { typeName, funcname }]) => [...last(asNode(typeName).names), ...last(funcname)]),
    ),
    operators: unique(
      nodes.flatMap(([type, each]) => [
        ...(type === 'A_Expr' ? last(each.name) : []),
        ...last(each.operName),
        ...unwritten(type, each),
      ]),
    ),
    relations: unique(relations),
    read: unique(relations.filter((_, i) => i !== own)),
  };
}

/** The operators that a form stands for: those of `x BETWEEN a AND b`, `x IN (SELECT …)`, `CASE x WHEN a`, `JOIN … USING`. */
function unwritten(
  type: string,
  { kind, subLinkType, arg, usingClause, isNatural }: Node,
): readonly string[] {
  if (type === 'A_Expr') return String(kind).includes('BETWEEN') ? ['<', '<=', '>', '>='] : [];
  const isEqual =
    (type === 'SubLink' && subLinkType === 'ANY_SUBLINK') ||
    (type === 'CaseExpr' && arg !== undefined) ||
    (type === 'JoinExpr' && (usingClause !== undefined || isNatural === true));
  return isEqual ? ['='] : [];
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
