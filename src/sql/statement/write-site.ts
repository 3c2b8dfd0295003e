/** A statement that inserts or changes rows, with the places in its text where one that looks at the keys it writes is put together. */
import { quoteName, quoteRelation } from '../names.js';
import { spanOf } from '../parser/cte-span.js';
import type { Json, Node } from '../parser/parser.js';
import type { Token } from '../parser/source.js';
import { asList, asNode, node, stringOf } from '../parser/tree.js';
import { formOf, isPlainExplain, nodesOf } from './deletes.js';
import { executionOrder, type InTurn, inTurn } from './execution-order.js';
import { type InnerQuery, readInnerQuery } from './inner-query.js';
import {
  type CteSite,
  cteSite,
  type Deletes,
  hasStar,
  hasTable,
  lastInside,
  mainToken,
  type Outer,
  outerOf,
  type Returning,
  readReturning,
  readSites,
} from './sites.js';
import { findWrites, type Write, writeOf } from './writes.js';

/** A statement that inserts or changes rows, and deletes none. */
export interface WritingStatement {
  readonly kind: 'writing';
  /** What it is, for errors. */
  readonly form: string;
  /** What it stands in. */
  readonly outer: Outer | undefined;
  readonly writes: readonly Write[];
  /** Undefined where it writes at a place that is not looked into, or rows that have no certain name. */
  readonly query: WritingQuery | undefined;
  /** The name under which PREPARE keeps it. */
  readonly prepares: string | undefined;
}

/** It without what it stands in. All places in characters from the statement's start. */
export interface WritingQuery {
  /** Where it writes, in the order in which PostgreSQL carries that out. */
  readonly sites: readonly InTurn<WriteSite>[];
  /** Where the statement proper begins, after its WITH, and where it ends. */
  readonly start: number;
  readonly end: number;
  readonly hasWith: boolean;
  /** Undefined where it cannot be cut out of the text. */
  readonly place: InnerQuery | undefined;
}

export interface WriteSite {
  readonly write: Write;
  /** How the text itself calls the target's rows, quoted: by its alias, else by its name. */
  readonly alias: string;
  /** Where it ends, with its RETURNING. */
  readonly end: number;
  /** It certainly writes one row at most: the VALUES of one, or the defaults. */
  readonly isOneRow: boolean;
  readonly returning: Returning | undefined;
  /** What its RETURNING calls the rows as they were and as they are. Undefined where it says nothing, and the proxy can declare names. */
  readonly images: Images | undefined;
  /** Its place in a WITH; undefined for what the statement itself is. */
  readonly cte: CteSite | undefined;
}

interface Images {
  readonly old: string;
  readonly new: string;
}

/** A statement that deletes. */
export interface DeletingStatement extends Deletes {
  /** The places at which it writes; undefined as in WritingStatement. */
  readonly written: WritingQuery | undefined;
}

const COMMANDS = ['InsertStmt', 'UpdateStmt', 'MergeStmt'];

/**
 * @param tokens the statement's, without comments
 * @param characters from a byte of the whole text to a character of the statement
 * @returns undefined where it writes nothing
 */
export function readWriting(
  tree: Node,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): WritingStatement | undefined {
  const writes = isPlainExplain(tree) ? [] : findWrites(tree);
  const [write] = writes;
  if (write === undefined) return undefined;
  const query = readWritingQuery(tree, writes.length, tokens, characters);
  const { outer } = outerOf(tree);
  const isWith = node(tree, 'SelectStmt') || (writes.length > 1 && COMMANDS.some((each) => node(tree, each)));
  const isPlain = COMMANDS.some((type) => node(tree, type));
  const form = isWith ? 'WITH' : isPlain || write.command === 'COPY FROM' ? write.command : formOf(tree);
  return { kind: 'writing', form, outer, writes, query, prepares: stringOf(node(tree, 'PrepareStmt')?.name) };
}

/**
 * @param tokens as readWriting
 * @returns undefined where it does not delete, or in another way than is known here
 */
export function readDeleting(
  tree: Node,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): DeletingStatement | undefined {
  const deletes = readSites(tree, tokens, characters);
  if (deletes === undefined) return undefined;
  const count = deletes.writes.length;
  return {
    ...deletes,
    written: count === 0 ? undefined : readWritingQuery(tree, count, tokens, characters),
  };
}

/** @param count how many writes there are in the tree */
function readWritingQuery(
  tree: Node,
  count: number,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): WritingQuery | undefined {
  const { outer, inner } = outerOf(tree);
  const [type = ''] = Object.keys(inner);
  const { withClause, ...rest } = asNode(inner[type]);
  const ctes = asList(asNode(withClause).ctes).map((each) => asNode(asNode(each).CommonTableExpr));
  const spans = ctes.map((cte) => spanOf(cte, tokens));
  const first = mainToken(rest, tokens, spans);
  const last = outer === 'COPY' ? lastInside(tokens) : tokens.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const inCtes = ctes.map((cte, i): WriteSite | undefined => {
    const span = spans[i];
    const site =
      span && readWriteSite(asNode(cte.ctequery), tree, tokens, characters(span.last.end), characters);
    return site && { ...site, cte: cteSite(cte, span, characters) };
  });
  const main = readWriteSite(inner, tree, tokens, characters(last.end), characters);
  // What writes at another place is none of these.
  if ([...inCtes, main].filter((site) => site).length !== count) return undefined;
  // SEARCH and CYCLE give columns that an asterisk of the statement would lose in a WITH.
  const isMarked = ctes.some(({ search_clause, cycle_clause }) => search_clause ?? cycle_clause);
  if (main && isMarked && hasStar(rest)) return undefined;
  const recursive = asNode(withClause).recursive === true;
  const queries = ctes.map((cte) => ({ name: String(cte.ctename), query: asNode(cte.ctequery) }));
  const order = executionOrder(queries, recursive, { [type]: rest });
  const place = tokens.indexOf(spans[0]?.name ?? first) - (ctes.length === 0 ? 0 : recursive ? 2 : 1);
  return {
    sites: inTurn(order, inCtes, main),
    start: characters(first.start),
    end: characters(last.end),
    hasWith: ctes.length > 0,
    place: readInnerQuery(tokens, place, outer, characters),
  };
}

/**
 * @param tree one statement
 * @param whole all in which it stands
 * @param tokens those of the whole
 * @returns undefined where it writes nothing, or rows that have no certain name
 */
function readWriteSite(
  tree: Node,
  whole: Node,
  tokens: readonly Token[],
  end: number,
  characters: (byte: number) => number,
): WriteSite | undefined {
  const [type = ''] = Object.keys(tree);
  const value = asNode(tree[type]);
  const write = COMMANDS.includes(type) ? writeOf(type, value) : undefined;
  if (write === undefined) return undefined;
  const alias = stringOf(asNode(asNode(value.relation).alias).aliasname);
  const sources: readonly Json[] = [
    ...asList(value.fromClause),
    ...(value.sourceRelation === undefined ? [] : [value.sourceRelation]),
  ];
  if (alias === undefined && sources.some((source) => hasTable(source, write.target.name))) return undefined;
  const options = asList(asNode(value.returningClause).options);
  const images = imagesIn(
    whole,
    options.map((each) => asNode(asNode(each).ReturningOption)),
    tokens,
  );
  if (images === 'unclear') return undefined;
  return {
    write,
    alias: alias === undefined ? quoteRelation(write.target) : quoteName(alias),
    end,
    isOneRow: write.command === 'INSERT' && hasOneRow(value),
    returning: readReturning(value, sources, characters),
    images,
    cte: undefined,
  };
}

/** Where VALUES has one list, a function in it may give several rows, and so may an operator (check_srf_call_placement). */
function hasOneRow({ selectStmt }: Node): boolean {
  if (selectStmt === undefined) return true;
  const [values, ...more] = asList(asNode(asNode(selectStmt).SelectStmt).valuesLists);
  if (values === undefined || more.length > 0) return false;
  return nodesOf(values).every(([type]) => type !== 'FuncCall' && type !== 'A_Expr');
}

/** Without options they are `old` and `new`, unless a table of the statement is called so (parse_relation.c). */
function imagesIn(
  tree: Node,
  options: readonly Node[],
  tokens: readonly Token[],
): Images | 'unclear' | undefined {
  const named = (image: 'OLD' | 'NEW') =>
    stringOf(options.find(({ option }) => option === `RETURNING_OPTION_${image}`)?.value);
  const [before, after] = [named('OLD'), named('NEW')];
  const isSpelled = tokens.some(({ text }) => /^"?(?:old|new)"?$/i.test(text));
  if (options.length === 0 && !isSpelled) return undefined;
  const isTaken = nodesOf(tree).some(
    ([, { relname, aliasname }]) => HIDING.has(String(aliasname)) || HIDING.has(String(relname)),
  );
  if (isTaken && !(before && after)) return 'unclear';
  return { old: quoteName(before ?? 'old'), new: quoteName(after ?? 'new') };
}

const HIDING: ReadonlySet<string> = new Set(['old', 'new']);
