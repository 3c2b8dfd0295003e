/** Finds out whether a client's conditions may be evaluated more than once: by the SELECTs that lock rows before a statement, and by each batch. */
import type { GraphCache, ReadPoint } from '../../graph/cache.js';
import type { Locks } from '../../render/single/locks.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';

/** How many answers a session remembers. Texts that differ in their values alone have one question. */
const MOST_KNOWN = 500;

interface Known {
  readonly isHarmless: boolean;
  readonly asked: ReadPoint;
}

interface HarmlessnessParts {
  readonly queries: Pick<InternalQueries, 'askUntimed'>;
  readonly catalog: Pick<SessionCatalog, 'age' | 'point'>;
  readonly policy: Pick<SessionPolicy, 'graphs'>;
}

export class Harmlessness {
  readonly #parts: HarmlessnessParts;
  #known: Map<string, Known> | undefined;
  #age: number;
  /** Counts the changes by which an answer is outdated. */
  #graphs: GraphCache;

  constructor(parts: HarmlessnessParts) {
    this.#parts = parts;
    this.#age = parts.catalog.age;
    this.#graphs = parts.policy.graphs;
  }

  /**
   * Gives the last answer, unless this session has changed its role or its settings since, or any session the schema: a function of
   * the same name may be volatile by then. Changes of other sessions are noticed as new keys are. Else the server is asked.
   * @returns whether executing the locks does nothing but lock; `failed` where the client has got an error
   */
  async judge({ harmless }: Pick<Locks, 'harmless'>, protocol: Protocol): Promise<boolean | 'failed'> {
    const { queries, catalog, policy } = this.#parts;
    const now = await catalog.point;
    if (this.#age !== catalog.age || this.#graphs !== policy.graphs) this.forget();
    const known = this.#known?.get(harmless);
    if (known && isUnchanged(known.asked, now, this.#graphs)) return known.isHarmless;
    const answer = await queries.askUntimed(harmless, protocol);
    if (answer.kind !== 'value') return 'failed';
    const isHarmless = answer.value === 't';
    this.#known ??= new Map();
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(harmless, { isHarmless, asked: now });
    return isHarmless;
  }

  /**
   * Asks for several locks, each question once, even where an answer holds no longer than that.
   * @returns those of them that may be sent; `failed` where the client has got an error
   */
  async among(all: readonly Locks[], protocol: Protocol): Promise<ReadonlySet<Locks> | 'failed'> {
    const answers = new Map<string, boolean>();
    for (const locks of all) {
      if (answers.has(locks.harmless)) continue;
      const isHarmless = await this.judge(locks, protocol);
      if (isHarmless === 'failed') return isHarmless;
      answers.set(locks.harmless, isHarmless);
    }
    return new Set(all.filter(({ harmless }) => answers.get(harmless)));
  }

  /** A lock was denied: what was known of the role's rights holds no longer. */
  forget(): void {
    const { catalog, policy } = this.#parts;
    this.#age = catalog.age;
    this.#graphs = policy.graphs;
    this.#known = undefined;
  }
}

/** Whether, as far as is known, no session has changed the schema since `then`, nor a function. */
function isUnchanged(then: ReadPoint, now: ReadPoint, graphs: GraphCache): boolean {
  return then.invalidations === now.invalidations && graphs.isFresh(then, now);
}
