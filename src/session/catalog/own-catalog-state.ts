/**
 * The state of the catalog that one session saw last, for itself alone: a transaction that has written something, or that looks at an
 * older state, may see what no other session ever sees; and temporary relations belong to one session.
 */
import type { GraphCache, KnownGraph, ReadPoint } from '../../graph/cache.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';

/** A state of the catalog. */
export interface CatalogState {
  readonly kind: 'catalog state';
  readonly fingerprint: string;
  readonly known: KnownGraph;
}

/**
 * Where a state of the catalog that was seen holds.
 * `all`: for every session, so that the GraphCache remembers it.
 * `session`: for this session as long as it lasts: temporary relations are part of the state.
 * `transaction`: until the end of the transaction, which has written something.
 * `snapshot`: the same, and no other session can change it: the transaction looks at one state from its beginning on.
 */
export type Scope = 'all' | 'session' | 'transaction' | 'snapshot';

interface Seen extends CatalogState {
  readonly asked: ReadPoint;
  readonly scope: Scope;
}

export class OwnCatalogState {
  #seen: Seen | undefined;
  /**
   * The client has sent nothing since the server was asked: it cannot have changed the catalog, nor expect to see what another
   * session has changed since.
   */
  #untouched = false;
  #isLate = false;
  #temporaries: { readonly any: boolean; readonly asked: ReadPoint } | undefined;

  /** The server was asked at this moment, and has answered. */
  record(seen: Seen): void {
    this.#seen = seen;
    this.#untouched = true;
    this.#isLate = seen.scope === 'transaction';
  }

  /** Whether the server was asked when the transaction had written something, so that the next one has to ask again. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** The server is asked before the transaction writes anything. */
  renew(): void {
    this.#isLate = false;
  }

  /** Whether the graph may have temporary relations of this session, as the server said; null where that is to be asked. */
  recordTemporaries(any: boolean | null, asked: ReadPoint): void {
    this.#temporaries = any === null ? undefined : { any, asked };
  }

  /** Bytes came from the client, or something of the client's is being executed. */
  touch(): void {
    this.#untouched = false;
  }

  /** The transaction may be over: what it alone saw holds no longer. */
  transactionOver(): void {
    if (this.#seen?.scope !== 'session') this.#seen = undefined;
  }

  /** The session itself has changed what it saw. */
  forget(): void {
    this.#seen = undefined;
  }

  /** Another policy holds: what was seen was seen for the former one, and is counted by another GraphCache. */
  forgetAll(): void {
    this.#seen = undefined;
    this.#temporaries = undefined;
    this.#isLate = false;
  }

  /**
   * @param now what GraphCache.readPoint says
   * @returns what was seen, where it need not be asked for again
   */
  fresh(graphs: GraphCache, now: ReadPoint): CatalogState | undefined {
    if (this.#seen === undefined) return undefined;
    const { asked, scope } = this.#seen;
    // Parse and Bind that came in one go are one statement.
    if (this.#untouched && asked.changes === now.changes) return this.#seen;
    if (scope === 'all') return undefined;
    const then = scope === 'snapshot' ? { ...asked, changes: now.changes } : asked;
    return graphs.isFresh(then, now) ? this.#seen : undefined;
  }

  /** Whether temporary relations of this session may be part of the graph; undefined where the server has to be asked. */
  hasTemporaries(graphs: GraphCache, now: ReadPoint): boolean | undefined {
    if (this.#temporaries === undefined || !graphs.isFresh(this.#temporaries.asked, now)) return undefined;
    return this.#temporaries.any;
  }
}

/** The facts by which it is decided where an answer of the server's holds. */
export type ScopeFacts = Pick<SessionFacts, 'written' | 'current' | 'temporary'>;

/** Where an answer of the server's holds. */
export function scopeOf({ written, current, temporary }: ScopeFacts): Scope {
  if (!current) return 'snapshot';
  if (written) return 'transaction';
  return temporary === false ? 'all' : 'session';
}
