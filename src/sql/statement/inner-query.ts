/** Where in its text the query of a statement stands: without EXPLAIN, COPY (…), PREPARE … AS, CREATE TABLE … AS. */
import type { Token } from '../parser/source.js';

/** All places in characters from the statement's start. */
export interface InnerQuery {
  /** Its WITH, or its first word. */
  readonly start: number;
  /** The types that a PREPARE declares for its parameters, as it writes them. */
  readonly types: readonly TypePlace[];
}

interface TypePlace {
  readonly start: number;
  readonly end: number;
}

/**
 * @param tokens the statement's, without comments
 * @param first the index of the query's first one
 * @param outer what the query stands in
 * @returns undefined where the query cannot be cut out of the text as it is, as parentheses are around a part of it
 */
export function readInnerQuery(
  tokens: readonly Token[],
  first: number,
  outer: string | undefined,
  characters: (byte: number) => number,
): InnerQuery | undefined {
  const token = tokens[first];
  if (token === undefined) return undefined;
  const parenthesised = tokens[first - 1]?.text === '(' && !(outer === 'COPY' && first === 2);
  if (parenthesised) return undefined;
  const types = outer === 'PREPARE' ? readTypes(tokens) : [];
  return {
    types: types.map(({ start, end }) => ({ start: characters(start), end: characters(end) })),
    start: characters(token.start),
  };
}

/** `PREPARE name (type, type)`. */
function readTypes(tokens: readonly Token[]): readonly TypePlace[] {
  if (tokens[2]?.text !== '(') return [];
  const types: TypePlace[] = [];
  let from = 3;
  let depth = 1;
  for (let i = from; i < tokens.length && depth > 0; i++) {
    const { text } = tokens[i] ?? {};
    if (text === '(') depth++;
    if (text === ')') depth--;
    const [first, last] = [tokens[from], tokens[i - 1]];
    if (!first || !last || !(depth === 0 || (depth === 1 && text === ','))) continue;
    types.push({ start: first.start, end: last.end });
    from = i + 1;
  }
  return types;
}
