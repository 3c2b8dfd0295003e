/** How names and literals are written into SQL, so that they mean the same under every search_path and setting. */

/** The name of a relation as a statement gives it; what it means is for the server to say. */
export interface RelationName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** `a "b"` becomes `"a ""b"""`. Always quoted: no list of reserved words to keep up to date. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteRelation(relation: RelationName): string {
  const name = quoteName(relation.name);
  return relation.schema === undefined ? name : `${quoteName(relation.schema)}.${name}`;
}

/**
 * A string literal. One with a backslash is written as E'…', which reads the same whether
 * standard_conforming_strings is on or off.
 */
export function quoteLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return text.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}
