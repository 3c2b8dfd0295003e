/** Parsed texts and expanded ones, shared by all sessions: applications send the same few statements again and again. */
import { LRUCache } from 'lru-cache';
import { readStatements, type Statement } from '../sql/statement.js';
import type { Rewrite } from './rewrite.js';

const MOST_TEXTS = 2000;
/** In characters; a longer text is parsed each time it comes. */
const LONGEST_TEXT = 256 * 1024;
const MOST_CHARACTERS = 32 * 1024 * 1024;

export class StatementCache {
  readonly #parsed = new LRUCache<string, { statements: readonly Statement[] | undefined }>({
    max: MOST_TEXTS,
    maxSize: MOST_CHARACTERS,
    maxEntrySize: LONGEST_TEXT,
    sizeCalculation: (_, text) => text.length + 1,
  });
  readonly #rewrites = new LRUCache<string, Rewrite>({
    max: MOST_TEXTS,
    maxSize: MOST_CHARACTERS,
    maxEntrySize: LONGEST_TEXT,
    sizeCalculation: (rewrite, key) => rewrite.sql.length + key.length,
  });

  /** The statements of a text, or undefined where it is not PostgreSQL's SQL. */
  statements(text: string): readonly Statement[] | undefined {
    const known = this.#parsed.get(text);
    if (known) return known.statements;
    const statements = readStatements(text);
    this.#parsed.set(text, { statements });
    return statements;
  }

  /** @param key everything the rewrite depends on, the text included */
  rewrite(key: string, make: () => Rewrite): Rewrite {
    const known = this.#rewrites.get(key);
    if (known) return known;
    const rewrite = make();
    this.#rewrites.set(key, rewrite);
    return rewrite;
  }
}
