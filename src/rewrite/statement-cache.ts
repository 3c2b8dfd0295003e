/** Parsed texts and expanded ones, shared by all sessions: applications send the same few statements again and again. */
import { LRUCache } from 'lru-cache';
import type { Steps } from '../pace.js';
import { inSlices } from '../pace.js';
import { parserReady } from '../sql/parser/parser.js';
import { LongTexts } from '../sql/reading/long-texts.js';
import { readText } from '../sql/reading/read-text.js';
import type { Statement } from '../sql/statement/statement.js';
import type { Rewrite } from './text.js';

const MOST_TEXTS = 2000;
/** All lengths are in UTF-16 units. A longer text is parsed in another thread: one of this length takes up to some 20 ms. */
const LONGEST_HERE = 4 * 1024;
/** A longer text is parsed each time it comes. */
const LONGEST_CACHED_TEXT = 256 * 1024;
/** A longer rewrite is made each time. There is room for that of a plan of thousands of tables. */
const LONGEST_CACHED_REWRITE = 4 * 1024 * 1024;
const MOST_CHARACTERS = 32 * 1024 * 1024;

/** How often something was there, and how often it had to be made. */
export interface Uses {
  hits: number;
  misses: number;
}

export class StatementCache {
  readonly #uses = { parsed: { hits: 0, misses: 0 }, rewritten: { hits: 0, misses: 0 } };
  readonly #parsed = new LRUCache<string, { statements: readonly Statement[] | undefined }>({
    max: MOST_TEXTS,
    maxSize: MOST_CHARACTERS,
    maxEntrySize: LONGEST_CACHED_TEXT,
    sizeCalculation: (_, text) => text.length + 1,
  });
  readonly #rewrites = new LRUCache<string, Rewrite>({
    max: MOST_TEXTS,
    maxSize: MOST_CHARACTERS,
    maxEntrySize: LONGEST_CACHED_REWRITE,
    sizeCalculation: (rewrite, key) => rewrite.sql.length + key.length,
  });
  readonly #longTexts: LongTexts;

  /** @param onCrash is told by name why a thread that reads long texts has ended */
  constructor(onCrash: (name: string) => void = () => {}) {
    this.#longTexts = new LongTexts({}, onCrash);
  }

  /**
   * @param encoding the client's, for errors
   * @param isWanted false where the client has gone meanwhile
   * @returns the statements of a text; undefined where it is not PostgreSQL's SQL
   * @throws ProxyError PGC_ENCODING where a name is not certain, PGC_TOO_LARGE or PGC_WAITING for a text that is too long
   */
  async statements(
    text: string,
    encoding: string,
    isWanted: () => boolean,
  ): Promise<readonly Statement[] | undefined> {
    const known = this.#parsed.get(text);
    count(this.#uses.parsed, known);
    if (known) return known.statements;
    await parserReady();
    const statements =
      text.length <= LONGEST_HERE
        ? readText(text, encoding)
        : await this.#longTexts.read(text, encoding, isWanted);
    if (isWanted()) this.#parsed.set(text, { statements });
    return statements;
  }

  /** By what is kept: `parsed` texts, and texts `rewritten`. */
  get uses(): Readonly<Record<'parsed' | 'rewritten', Readonly<Uses>>> {
    return this.#uses;
  }

  /** Ends the threads in which long texts are read. */
  close(): Promise<void> {
    return this.#longTexts.close();
  }

  /** @param key everything the rewrite depends on, the text included */
  async rewrite(key: string, make: () => Steps<Rewrite>): Promise<Rewrite> {
    const known = this.#rewrites.get(key);
    count(this.#uses.rewritten, known);
    if (known) return known;
    const rewrite = await inSlices(make());
    this.#rewrites.set(key, rewrite);
    return rewrite;
  }
}

function count(uses: Uses, found: object | undefined): void {
  if (found) uses.hits++;
  else uses.misses++;
}
