/** A DELETE's text as that of a SELECT of the rows that it would delete. */
import type { Node, Token } from './parser.js';
import { asList, asNode, node } from './tree.js';

/** Where the two differ; all places in characters from the statement's start. */
export interface Selection {
  /** The word DELETE. */
  readonly verb: Place;
  /** The word USING, in whose place goes a comma. */
  readonly using: Place | undefined;
  /** Where the conditions end: before a RETURNING. */
  readonly end: number;
}

interface Place {
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
  // Behind it the joins have a USING of their own, and before it there is none.
  const using = asList(deletion.usingClause).length > 0 ? own.find(is('using')) : undefined;
  const returning = deletion.returningClause === undefined ? undefined : own.findLast(is('returning'));
  return {
    verb: place(verb),
    using: using && place(using),
    end: returning ? characters(returning.start) : end,
  };
}

function is(keyword: string): (token: Token) => boolean {
  return ({ text, isKeyword }) => isKeyword && text.toLowerCase() === keyword;
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
