/** Whether locks may be sent before a statement: the SELECTs that lock the rows evaluate the client's conditions once more. */
import type { Locks } from '../../render/single/locks.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';

/** Questions whose answers a session remembers at a time: texts that differ in their values have one question. */
const MOST_KNOWN = 500;

export class Harmlessness {
  readonly #queries: Pick<InternalQueries, 'askUntimed'>;
  readonly #catalog: Pick<SessionCatalog, 'age'>;
  readonly #known = new Map<string, boolean>();
  #age: number;

  constructor(queries: Pick<InternalQueries, 'askUntimed'>, catalog: Pick<SessionCatalog, 'age'>) {
    this.#queries = queries;
    this.#catalog = catalog;
    this.#age = catalog.age;
  }

  /**
   * The answer of before, until the session has changed its role, its settings or the schema; else the server is asked.
   * @returns whether executing the locks does nothing but lock; `failed` where the client has got an error
   */
  async judge({ harmless }: Locks, protocol: Protocol): Promise<boolean | 'failed'> {
    if (this.#age !== this.#catalog.age) this.forget();
    const known = this.#known.get(harmless);
    if (known !== undefined) return known;
    const answer = await this.#queries.askUntimed(harmless, protocol);
    if (answer.kind !== 'value') return 'failed';
    const isHarmless = answer.value === 't';
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(harmless, isHarmless);
    return isHarmless;
  }

  /** @returns those of them that may be sent; `failed` where the client has got an error */
  async among(all: readonly Locks[], protocol: Protocol): Promise<ReadonlySet<Locks> | 'failed'> {
    const harmless = new Set<Locks>();
    for (const locks of all) {
      const is = await this.judge(locks, protocol);
      if (is === 'failed') return is;
      if (is) harmless.add(locks);
    }
    return harmless;
  }

  /** A lock was denied: what was known of rights is worth nothing any more. */
  forget(): void {
    this.#age = this.#catalog.age;
    this.#known.clear();
  }
}
