/**
 * The constants that the WHERE of a DELETE compares columns with: `id = 7 AND kind = 'x'`. In a prepared statement a
 * parameter in their place means the same: an integer is of type int4 in both, and a string's type is found in the same way
 * (parse_param.c, variable_coerce_param_hook; parse_coerce.c, coerce_type).
 */
import type { Node } from '../parser/parser.js';
import { indexAt, type Token } from '../parser/source.js';
import { asList, asNode, node } from '../parser/tree.js';

export interface Compared {
  readonly type: 'int4' | 'unknown';
  /** In characters. */
  readonly start: number;
  readonly end: number;
}

/**
 * @param tokens the statement's, without comments
 * @param characters from a byte of the whole text to a character of the statement
 */
export function comparedConstants(
  tree: Node,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): readonly Compared[] {
  const where = node(tree, 'DeleteStmt')?.whereClause;
  if (where === undefined) return [];
  return conjuncts(asNode(where)).flatMap((condition): Compared[] => {
    const { kind, lexpr, rexpr } = asNode(condition.A_Expr);
    const constant = asNode(asNode(rexpr).A_Const);
    if (kind !== 'AEXPR_OP' || asNode(lexpr).ColumnRef === undefined) return [];
    const at = indexAt(tokens, Number(constant.location));
    const [token, next] = [tokens[at], tokens[at + 1]];
    const type = token && typeOf(token, constant, next);
    return token && type ? [{ type, start: characters(token.start), end: characters(token.end) }] : [];
  });
}

/** Without a minus, which is a token of its own, and a prefix such as E; and where the token is the whole constant: not `0x1F`, nor `'a'\n'b'`. */
function typeOf(token: Token, { ival, sval }: Node, next: Token | undefined): Compared['type'] | undefined {
  const { text, end } = token;
  if (ival !== undefined && text >= '0' && text < ':')
    return next?.isWord && next.start === end ? undefined : 'int4';
  return sval !== undefined && text.startsWith("'") && !next?.text.startsWith("'") ? 'unknown' : undefined;
}

/**
 * Whether a statement is another one but for the values of these constants, each as long as it was there: so are its tokens,
 * and all that is to be said of it.
 */
export function differsInValues(text: string, other: string, constants: readonly Compared[]): boolean {
  if (text.length !== other.length || constants.length === 0) return false;
  let read = 0;
  for (const { type, start, end } of constants) {
    if (text.slice(read, start) !== other.slice(read, start)) return false;
    if (!isConstant(text.slice(start, end), type)) return false;
    read = end;
  }
  return text.slice(read) === other.slice(read);
}

/** One that is certain to be a token of this kind. */
function isConstant(text: string, type: Compared['type']): boolean {
  if (type === 'int4') return /^[1-9][0-9]{0,8}$/.test(text);
  return /^'[^'\\]*'$/.test(text);
}

function conjuncts(condition: Node): readonly Node[] {
  const { boolop, args } = asNode(condition.BoolExpr);
  return boolop === 'AND_EXPR' ? asList(args).map(asNode) : [condition];
}
