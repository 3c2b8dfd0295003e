/** An INSERT, UPDATE or MERGE with the places in its text where one that looks at the keys it writes is put around it. */
import { quoteName, quoteRelation } from '../names.js';
import type { Node } from '../parser/parser.js';
import type { Token } from '../parser/source.js';
import { asList, asNode, node, stringOf } from '../parser/tree.js';
import { formOf, isPlainExplain, nodesOf } from './deletes.js';
import { hasTable, mainToken, type Outer, outerOf, spanOf } from './sites.js';
import { findWrites, type Write } from './writes.js';

/** A statement that inserts or changes rows, and deletes none. */
export interface WritingStatement {
  readonly kind: 'writing';
  /** What it is, for errors. */
  readonly form: string;
  /** What it stands in. */
  readonly outer: Outer | undefined;
  readonly writes: readonly Write[];
  /** Undefined where it stands in something that is not looked into, or writes at several places. */
  readonly site: WriteSite | undefined;
  /** The name under which PREPARE keeps it. */
  readonly prepares: string | undefined;
}

/** All places in characters from the statement's start. */
export interface WriteSite {
  readonly write: Write;
  /** How the text itself calls the target's rows, quoted: by its alias, else by its name. */
  readonly alias: string;
  /** Where the statement proper begins, behind its WITH, and where it ends, with its RETURNING. */
  readonly start: number;
  readonly end: number;
  readonly hasWith: boolean;
  /** It certainly writes one row at the most: the VALUES of one, or the defaults. */
  readonly isOneRow: boolean;
  /** Where the list of its RETURNING begins, behind RETURNING and its options. */
  readonly list: number | undefined;
  /**
   * What its RETURNING calls the rows as they were and as they are: `declared` where an option says so. Undefined where it says
   * nothing, and names of the proxy's own can be declared.
   */
  readonly images: Images | undefined;
}

interface Images {
  readonly old: string;
  readonly new: string;
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
  const { outer, inner } = outerOf(tree);
  const site = outer === 'COPY' ? undefined : readWriteSite(inner, writes, tokens, characters);
  const isPlain = [...COMMANDS, 'SelectStmt'].some((type) => node(tree, type));
  const form =
    (site && !outer) || write.command === 'COPY FROM' ? write.command : isPlain ? 'WITH' : formOf(tree);
  return { kind: 'writing', form, outer, writes, site, prepares: stringOf(node(tree, 'PrepareStmt')?.name) };
}

/**
 * @param tree without what it stands in
 * @param writes all that the statement writes
 * @param tokens the statement's, without comments
 * @param characters from a byte of the whole text to a character of the statement
 * @returns undefined where it writes at several places or inside of something else, or where its rows have no certain name
 */
function readWriteSite(
  tree: Node,
  writes: readonly Write[],
  tokens: readonly Token[],
  characters: (byte: number) => number,
): WriteSite | undefined {
  const [write, ...more] = writes;
  const [type = ''] = Object.keys(tree);
  if (write === undefined || more.length > 0 || !COMMANDS.includes(type)) return undefined;
  const value = asNode(tree[type]);
  const relation = asNode(value.relation);
  const ctes = asList(asNode(value.withClause).ctes).map((each) => asNode(asNode(each).CommonTableExpr));
  const inCte = ctes.some((cte) => COMMANDS.some((command) => node(asNode(cte.ctequery), command)));
  const first = mainToken(
    value,
    tokens,
    ctes.map((cte) => spanOf(cte, tokens)),
  );
  const last = tokens.at(-1);
  if (inCte || first === undefined || last === undefined) return undefined;
  // SEARCH and CYCLE give columns that an asterisk of the statement would lose in a WITH.
  if (ctes.some(({ search_clause, cycle_clause }) => search_clause ?? cycle_clause)) return undefined;
  const alias = stringOf(asNode(relation.alias).aliasname);
  const sources = [...asList(value.fromClause), value.sourceRelation ?? null];
  if (alias === undefined && sources.some((source) => hasTable(source, write.target.name))) return undefined;
  const { exprs, options } = asNode(value.returningClause);
  const images = imagesIn(
    tree,
    asList(options).map((each) => asNode(asNode(each).ReturningOption)),
    tokens,
  );
  if (images === 'unclear') return undefined;
  const [returned] = asList(exprs);
  return {
    write,
    alias: alias === undefined ? quoteRelation(write.target) : quoteName(alias),
    start: characters(first.start),
    end: characters(last.end),
    hasWith: ctes.length > 0,
    isOneRow: write.command === 'INSERT' && hasOneRow(value),
    list:
      returned === undefined ? undefined : characters(Number(asNode(asNode(returned).ResTarget).location)),
    images,
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
