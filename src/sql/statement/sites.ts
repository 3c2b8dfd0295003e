/** A statement that deletes, with the places in its text where an expanded one is put together. */

import { quoteName, quoteRelation, type RelationName } from '../names.js';
import { type Span, spanOf } from '../parser/cte-span.js';
import type { Json, Node } from '../parser/parser.js';
import { closing, type Token } from '../parser/source.js';
import { asList, asNode, node, relationName, stringOf } from '../parser/tree.js';
import { type Compared, comparedConstants } from './compared.js';
import { findDeletes, mergeDeletes, nodesOf } from './deletes.js';
import { executionOrder, type InTurn, inTurn } from './execution-order.js';
import { type InnerQuery, readInnerQuery } from './inner-query.js';
import { outputNames } from './outputs.js';
import { readSelection, type Selection } from './selection.js';
import { findWrites, type Write } from './writes.js';

/** A DELETE or a MERGE; all places in characters from the statement's start. */
export interface Site {
  readonly command: 'DELETE' | 'MERGE';
  readonly target: RelationName;
  /** How the text itself calls the target's rows, quoted: by its alias, else by its name. */
  readonly alias: string;
  /** Another table beside it has the same name, so that the name alone is ambiguous. */
  readonly isNamesake: boolean;
  /** `DELETE FROM ONLY`. */
  readonly only: boolean;
  /** Where it ends, with its RETURNING. */
  readonly end: number;
  readonly returning: Returning | undefined;
  /** Its place in a WITH; undefined for what the statement itself is. */
  readonly cte: CteSite | undefined;
}

export interface Returning {
  /** Where the list begins, after RETURNING and its options. */
  readonly list: number;
  /** The names of its columns; `*` is all of the target's. Undefined where the text alone does not tell. */
  readonly names: readonly string[] | undefined;
}

export interface CteSite {
  readonly name: string;
  /** The names in parentheses after it. */
  readonly columns: readonly string[];
  readonly start: number;
  /** Where its statement begins, after the parenthesis. */
  readonly body: number;
  /** After the closing parenthesis. */
  readonly end: number;
}

/** A statement that deletes, but for the places at which it writes beside that. */
export interface Deletes {
  readonly kind: 'deleting';
  /** What it is, for errors. */
  readonly form: string;
  /** What it stands in. */
  readonly outer: Outer | undefined;
  /** In the order of the text: the statement itself comes last, where it deletes. */
  readonly sites: readonly Site[];
  /** The same in the order in which PostgreSQL carries them out. */
  readonly executed: readonly InTurn<Site>[];
  /** What it writes beside that. */
  readonly writes: readonly Write[];
  /** Where the statement proper begins, after its WITH, and where it ends. */
  readonly start: number;
  readonly end: number;
  readonly hasWith: boolean;
  /** The statement without what it stands in, up to `end`; undefined where it cannot be cut out. */
  readonly query: InnerQuery | undefined;
  /** The name under which PREPARE keeps it. */
  readonly prepares: string | undefined;
  /** How the rows are selected that it deletes itself, where that can be said. */
  readonly selection: Selection | undefined;
  /** What it compares columns with, in the order of the text. */
  readonly compared: readonly Compared[];
  /** What stands in it that PostgreSQL's grammar does not have; undefined where all is PostgreSQL's. */
  readonly foreign?: ForeignParts;
}

/** What a DELETE of another grammar has, as it is written. */
export interface ForeignParts {
  /** No FROM stands after DELETE. */
  readonly lacksFrom: boolean;
  /** `LIMIT 3`, after the conditions. */
  readonly limit: string;
}

export type Outer = 'EXPLAIN ANALYZE' | 'COPY' | 'CREATE TABLE AS' | 'PREPARE';

const OUTER: Readonly<Record<string, Outer>> = {
  ExplainStmt: 'EXPLAIN ANALYZE',
  CopyStmt: 'COPY',
  CreateTableAsStmt: 'CREATE TABLE AS',
  PrepareStmt: 'PREPARE',
};

/** What a statement stands in, and the statement without it. */
export function outerOf(tree: Node): { readonly outer: Outer | undefined; readonly inner: Node } {
  const [type = ''] = Object.keys(tree);
  const outer = OUTER[type];
  return { outer, inner: outer === undefined ? tree : asNode(asNode(tree[type]).query) };
}

/**
 * @param tokens the statement's, without comments
 * @param characters from a byte of the whole text to a character of the statement
 * @returns undefined where it does not delete, or in another way than is known here
 */
export function readSites(
  tree: Node,
  tokens: readonly Token[],
  characters: (byte: number) => number,
): Deletes | undefined {
  const { outer, inner } = outerOf(tree);
  const [type = ''] = Object.keys(inner);
  const value = asNode(inner[type]);
  const ctes = asList(asNode(value.withClause).ctes).map((each) => asNode(asNode(each).CommonTableExpr));
  const spans = ctes.map((cte) => spanOf(cte, tokens));
  const inCtes = ctes.map((cte, i): Site | undefined => {
    const span = spans[i];
    const site = span && readSite(asNode(cte.ctequery), characters(span.last.end), characters);
    return site && { ...site, cte: cteSite(cte, span, characters) };
  });
  const first = mainToken(value, tokens, spans);
  const last = outer === 'COPY' ? lastInside(tokens) : tokens.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const main = readSite(inner, characters(last.end), characters);
  const all = [...inCtes, main].flatMap((site) => site ?? []);
  // What deletes at another place is none of these.
  if (all.length === 0 || all.length !== findDeletes(tree).length) return undefined;
  const { withClause, ...rest } = value;
  const marked = ctes.some(({ search_clause, cycle_clause }) => search_clause ?? cycle_clause);
  if (main && marked && hasStar(rest)) return undefined;
  const queries = ctes.map((cte) => ({ name: String(cte.ctename), query: asNode(cte.ctequery) }));
  const recursive = asNode(withClause).recursive === true;
  const order = executionOrder(queries, recursive, { [type]: rest });
  const place = tokens.indexOf(spans[0]?.name ?? first) - (ctes.length === 0 ? 0 : recursive ? 2 : 1);
  return {
    kind: 'deleting',
    form: outer ?? (main ? main.command : 'WITH'),
    outer,
    sites: all,
    executed: inTurn(order, inCtes, main),
    writes: findWrites(tree),
    start: characters(first.start),
    end: characters(last.end),
    hasWith: ctes.length > 0,
    query: readInnerQuery(tokens, place, outer, characters),
    prepares: stringOf(node(tree, 'PrepareStmt')?.name),
    compared: outer === undefined ? comparedConstants(inner, tokens, characters) : [],
    selection: readSelection(inner, tokens.slice(tokens.indexOf(first)), characters, characters(last.end)),
  };
}

/**
 * Whether an asterisk stands in a query. One that is put into a WITH does not have the columns of SEARCH and CYCLE any more
 * (parse_relation.c, p_dontexpand).
 */
export function hasStar(query: Node): boolean {
  return nodesOf(query).some(([type]) => type === 'A_Star');
}

function readSite(tree: Node, end: number, characters: (byte: number) => number): Site | undefined {
  const deletion = node(tree, 'DeleteStmt');
  const merge = node(tree, 'MergeStmt');
  const value = deletion ?? (merge && mergeDeletes(merge) ? merge : undefined);
  if (value === undefined) return undefined;
  const relation = asNode(value.relation);
  const target = relationName(relation);
  const alias = stringOf(asNode(relation.alias).aliasname);
  const sources = deletion ? asList(deletion.usingClause) : [value.sourceRelation ?? null];
  return {
    command: deletion ? 'DELETE' : 'MERGE',
    target,
    alias: alias === undefined ? quoteRelation(target) : quoteName(alias),
    only: relation.inh !== true,
    end,
    isNamesake: alias === undefined && sources.some((source) => hasTable(source, target.name)),
    returning: readReturning(value, sources, characters),
    cte: undefined,
  };
}

/** @param cte a CommonTableExpr */
export function cteSite(
  cte: Node,
  { name, body, close }: Span,
  characters: (byte: number) => number,
): CteSite {
  return {
    name: String(cte.ctename),
    columns: asList(cte.aliascolnames).map((each) => String(asNode(asNode(each).String).sval)),
    start: characters(name.start),
    body: characters(body.end),
    end: characters(close.end),
  };
}

/**
 * @param value the statement that returns
 * @param sources what it joins its target with
 */
export function readReturning(
  { relation, returningClause }: Node,
  sources: readonly Json[],
  characters: (byte: number) => number,
): Returning | undefined {
  const list = asList(asNode(returningClause).exprs).map((each) => asNode(asNode(each).ResTarget));
  const [first] = list;
  if (first === undefined) return undefined;
  const target = relationName(asNode(relation));
  const alias = stringOf(asNode(asNode(relation).alias).aliasname);
  const isTarget = (names: readonly (string | undefined)[]) => {
    // No other row has columns here: not OLD and NEW, whatever they are called.
    if (sources.length === 0) return true;
    const [name, schema] = [...names].reverse();
    if (names.length === 1) return name === (alias ?? target.name);
    return names.length === 2 && alias === undefined && name === target.name && schema === target.schema;
  };
  return { list: characters(Number(first.location)), names: outputNames(list, isTarget) };
}

/** Whether a FROM item is, or joins, a table of this name without an alias. */
export function hasTable(source: Json, name: string): boolean {
  const sources = [source];
  for (const each of sources) {
    const range = node(asNode(each), 'RangeVar');
    if (range?.relname === name && range.alias === undefined) return true;
    const { larg, rarg } = asNode(asNode(each).JoinExpr);
    for (const side of [larg, rarg]) if (side !== undefined) sources.push(side);
  }
  return false;
}

/** The first token of the statement proper: after its WITH, or the command's word before the target's name. */
export function mainToken(
  value: Node,
  tokens: readonly Token[],
  spans: readonly (Span | undefined)[],
): Token | undefined {
  if (spans.length > 0) return tokens[spans.at(-1)?.next ?? -1];
  const target = Number(asNode(value.relation).location);
  return tokens.findLast(
    ({ start, text }) => start < target && /^(?:delete|merge|insert|update)$/i.test(text),
  );
}

/** The last token in the parentheses of COPY (…). */
export function lastInside(tokens: readonly Token[]): Token | undefined {
  return tokens[closing(tokens, 1) - 1];
}
