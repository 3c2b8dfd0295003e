/** Which state of the catalog a session sees, as far as that is known without asking: the one that it saw itself, or that all sessions see. */
import type { GraphCache, ReadPoint } from '../../graph/cache.js';
import { type CatalogReaderOptions, mayBatch, showsServerDoesAll } from './catalog-reader.js';
import { type CatalogState, OwnCatalogState, type ScopeFacts, scopeOf } from './own-catalog-state.js';

/** What the server was asked, and has answered. */
export interface Reading extends CatalogState {
  readonly facts: ScopeFacts;
}

/** What is known at one moment, before anything is asked. */
export interface KnownSoFar {
  /** Which server the session is connected to, and in which database there, if that is known. */
  readonly server: string | undefined;
  readonly now: ReadPoint;
  readonly catalogState: CatalogState | undefined;
  /** That state is what all sessions see. */
  readonly isShared: boolean;
  /** The server has to be asked which one it is. */
  readonly isLost: boolean;
  /** The server has to be asked whether temporary relations of this session are part of what it sees. */
  readonly mayHaveTemporaries: boolean;
}

/** Whether the proxy has nothing to do for this session, and need not ask. */
export function leavesNothing({ catalogState, isLost, mayHaveTemporaries }: KnownSoFar): boolean {
  return catalogState !== undefined && showsServerDoesAll(catalogState) && !isLost && !mayHaveTemporaries;
}

export class SeenCatalog {
  readonly #options: CatalogReaderOptions;
  readonly #own = new OwnCatalogState();
  /** What the server has said of itself, if it was asked: which one it is, and which database. */
  #server: string | undefined;
  /** When the client's last bytes came, in the count of the GraphCache. */
  #arrival: number;

  constructor(options: CatalogReaderOptions) {
    this.#options = options;
    this.#arrival = this.#graphs.arrival;
  }

  get #graphs(): GraphCache {
    return this.#options.policy.graphs;
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#arrival = this.#graphs.arrival;
  }

  /** Bytes came from the client, or something of the client's is being executed. */
  touch(): void {
    this.#own.touch();
  }

  /** The transaction may be over: what it alone saw holds no longer. */
  transactionOver(): void {
    this.#own.transactionOver();
  }

  /** The session itself has changed what it saw. */
  forget(): void {
    this.#own.forget();
  }

  /** Another policy holds. */
  forgetAll(): void {
    this.#own.forgetAll();
    this.arrived();
  }

  /** Whether this session asked when its transaction had written something, so that the next one has to ask again. */
  get isLate(): boolean {
    return this.#own.isLate;
  }

  /** The server is asked before the transaction writes anything. */
  renew(): void {
    this.#own.renew();
  }

  /** As GraphCache.readPoint. */
  get point(): ReadPoint | Promise<ReadPoint> {
    return this.#graphs.readPoint(this.#options.database, this.#presumedServer, this.#arrival);
  }

  /** The server where this session was last found to be, or another session of this database. */
  get #presumedServer(): string | undefined {
    return this.#server ?? this.#graphs.server(this.#options.database);
  }

  /**
   * @param changing this session's own transaction may have changed what all see
   * @returns a promise as GraphCache.readPoint
   */
  now(changing: boolean): KnownSoFar | Promise<KnownSoFar> {
    const server = this.#presumedServer;
    const now = this.point;
    return now instanceof Promise
      ? now.then((it) => this.#knownSoFar(it, server, changing))
      : this.#knownSoFar(now, server, changing);
  }

  #knownSoFar(now: ReadPoint, server: string | undefined, changing: boolean): KnownSoFar {
    const graphs = this.#graphs;
    const own = this.#own.fresh(graphs, now);
    const temporaries = this.#own.hasTemporaries(graphs, now);
    const mayShare = own === undefined && temporaries !== true && !changing;
    const shared = mayShare ? this.#shared(now) : undefined;
    const catalogState = own ?? shared;
    // A state that says no more than that the server does all lacks the keys that batches need.
    const isKnown =
      catalogState !== undefined && !(mayBatch(this.#options) && showsServerDoesAll(catalogState));
    return {
      server,
      now,
      catalogState: isKnown ? catalogState : undefined,
      isShared: isKnown && shared !== undefined,
      isLost: graphs.isWatched && this.#server === undefined,
      mayHaveTemporaries: isKnown && shared !== undefined && temporaries === undefined,
    };
  }

  /**
   * The catalog was read. What was found in a transaction that had written something stays with this session, and so do
   * temporary relations.
   */
  record({ facts, fingerprint, known }: Reading, asked: ReadPoint, changing: boolean): CatalogState {
    const [graphs, { database }] = [this.#graphs, this.#options];
    const scope = scopeOf(facts);
    if (scope === 'all' && !changing) graphs.recordFingerprint(database, fingerprint, asked);
    this.#own.record({ kind: 'catalog state', fingerprint, known, asked, scope });
    return { kind: 'catalog state', fingerprint, known };
  }

  /** Whether the graph may have temporary relations of this session, as the server said; null where that is to be asked. */
  recordTemporaries(any: boolean | null, asked: ReadPoint): void {
    this.#own.recordTemporaries(any, asked);
  }

  /** The server has said which one it is. */
  locate(server: string): void {
    const { database, events } = this.#options;
    this.#server = server;
    const elsewhere = `graph.url leads to another database than ${database}: changes of its schema are noticed within graph.refresh`;
    if (this.#graphs.recordServer(database, server)) events.warned(elsewhere);
  }

  /** Whether the server is the one that it was taken for. */
  isAt(server: string | undefined): boolean {
    return this.#server === server;
  }

  #shared(now: ReadPoint): CatalogState | undefined {
    const [graphs, { database }] = [this.#graphs, this.#options];
    const fingerprint = graphs.currentFingerprint(database, now);
    const known = fingerprint === undefined ? undefined : graphs.get(database, fingerprint);
    return fingerprint === undefined || known === undefined
      ? undefined
      : { kind: 'catalog state', fingerprint, known };
  }
}
