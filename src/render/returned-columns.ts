/**
 * What the columns of a RETURNING are called where its rows are read by name: in a WITH, and in a COPY. Where neither the
 * text nor the graph tells, the server is asked.
 */
import type { Relation } from '../graph/model.js';
import { charactersIn } from '../sql/encoding/characters.js';
import { hasParameters } from '../sql/lexer/parameters.js';
import { quoteName } from '../sql/names.js';
import type { InnerQuery } from '../sql/statement/inner-query.js';
import { ALL } from '../sql/statement/outputs.js';
import type { Site } from '../sql/statement/statement.js';

/** A question to the server for the names of columns, and for the types of the parameters where there are any. */
export interface ColumnsQuestion {
  /** A query that gives these columns. The server only describes it. */
  readonly sql: string;
  /** The client's query, of which the server has to tell the types of its parameters first. */
  readonly query: string | undefined;
  /** The types that a PREPARE in SQL declares; undefined where the client's Parse declares them. */
  readonly types: readonly string[] | undefined;
  /** How many characters of the client's text stand before its query, with which `sql` begins. */
  readonly offset: number;
}

/** A statement in which something returns rows, as DeletingStatement. */
export interface ReturningStatement {
  readonly query: InnerQuery | undefined;
  readonly start: number;
  readonly end: number;
  readonly outer: string | undefined;
  readonly prepares: string | undefined;
}

/**
 * Whether a RETURNING may give rows as they were or as they are, by OLD, NEW or names that it gives to these: a SELECT of the rows
 * knows no difference. In doubt it may.
 * @param conditionsEnd where in the text the conditions of the statement end
 */
export function mayReturnImages(text: string, { returning, end }: Site, conditionsEnd: number): boolean {
  if (returning === undefined) return false;
  const options = text.slice(conditionsEnd, returning.list);
  return options.includes('(') || /\b(?:old|new)\b/i.test(text.slice(returning.list, end));
}

/** The server's answers to questions. It throws where a question has to be put first. */
export type Columns = (question: ColumnsQuestion) => readonly string[];

/**
 * @param text the client's statement
 * @param relation what the statement names
 * @returns undefined where neither the text nor the server can tell
 */
export function returnedNames(
  text: string,
  statement: ReturningStatement,
  { returning, cte }: Pick<Site, 'returning' | 'cte'>,
  relation: Relation,
  columns: Columns,
): readonly string[] | undefined {
  const names = returning?.names;
  if (names)
    return names.flatMap((name) => (name === ALL ? relation.columns.map((column) => column.name) : [name]));
  const { query, start, end, outer, prepares } = statement;
  const parameters = hasParameters(text);
  // After its query a CREATE TABLE AS may have more.
  if (query === undefined || (parameters && outer === 'CREATE TABLE AS')) return undefined;
  const whole = text.slice(query.start, end);
  return columns({
    sql: cte ? `${text.slice(query.start, start)} SELECT * FROM ${quoteName(cte.name)}` : whole,
    query: parameters ? whole : undefined,
    types: prepares === undefined ? undefined : query.types.map((type) => text.slice(type.start, type.end)),
    offset: charactersIn(text, 0, query.start),
  });
}
