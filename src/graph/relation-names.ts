/** The names of relations that a graph has: what no relation of it is called cannot come to mean one of them. */
import { hasLetters, hasRaw } from '../sql/encoding/raw-bytes.js';
import type { RelationName } from '../sql/names.js';

/** Bytes of a name that the server keeps (NAMEDATALEN - 1). A letter has four of them at most, in every encoding. */
const LONGEST = 63;
const MOST_OF_A_LETTER = 4;
/** A session calls the schema of its own temporary relations pg_temp, whatever its number. */
const TEMPORARY = /^pg_temp/;

export class RelationNames {
  /** The schemas that have a relation of a name. */
  readonly #schemas = new Map<string, Set<string>>();
  #hasRaw = false;

  constructor(relations: Iterable<RelationName>) {
    for (const { schema = '', name } of relations) {
      const schemas = this.#schemas.get(name) ?? new Set();
      this.#schemas.set(name, schemas.add(schema));
      this.#hasRaw ||= hasRaw(schema) || hasRaw(name);
    }
  }

  /**
   * Whether a name may mean a relation of the graph, under whatever search_path and whatever it means now. False is certain:
   * a name that the server cuts, or whose encoding is not certain, may mean any.
   */
  mayInclude({ schema, name }: RelationName): boolean {
    if (!this.#isCertain(name)) return this.#schemas.size > 0;
    const schemas = this.#schemas.get(name);
    if (schemas === undefined) return false;
    return schema === undefined || !this.#isCertain(schema) || TEMPORARY.test(schema) || schemas.has(schema);
  }

  #isCertain(name: string): boolean {
    if (hasRaw(name)) return false;
    if (!hasLetters(name)) return name.length <= LONGEST;
    return !this.#hasRaw && MOST_OF_A_LETTER * name.length <= LONGEST;
  }
}
