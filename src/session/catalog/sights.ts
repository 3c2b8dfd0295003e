/** What of the catalog a session sees without asking: what it saw itself, or what all sessions see. */
import type { ReadPoint } from '../../graph/cache.js';
import { type CatalogReaderOptions, type CatalogReading, isIdle } from './catalog-reader.js';
import { OwnSight, type Sight, scopeOf } from './own-sight.js';

/** What is known at one moment, before anything is asked. */
export interface Standing {
  /** Where the session is, as far as it is known. */
  readonly server: string | undefined;
  readonly now: ReadPoint;
  readonly sight: Sight | undefined;
  /** The sight is what all sessions see. */
  readonly isShared: boolean;
  /** The server has to be asked where the session is. */
  readonly isLost: boolean;
  /** The server has to be asked whether temporary relations of this session are part of what it sees. */
  readonly mayHaveTemporaries: boolean;
}

/** Whether the proxy has nothing to do for this session, and need not ask. */
export function showsIdle({ sight, isLost, mayHaveTemporaries }: Standing): boolean {
  return sight !== undefined && isIdle(sight) && !isLost && !mayHaveTemporaries;
}

export class Sights {
  readonly #options: Omit<CatalogReaderOptions, 'rules'>;
  readonly #own = new OwnSight();
  /** Where this session is, as far as it was asked; and when its last bytes came. */
  #server: string | undefined;
  #arrival: number;

  constructor(options: Omit<CatalogReaderOptions, 'rules'>) {
    this.#options = options;
    this.#arrival = options.graphs.arrival;
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#arrival = this.#options.graphs.arrival;
  }

  /** Bytes came from the client, or something of the client's is being executed. */
  touch(): void {
    this.#own.touch();
  }

  /** The transaction may be over: what it alone saw is worth nothing behind it. */
  transactionOver(): void {
    this.#own.transactionOver();
  }

  /** The session itself has changed what it saw. */
  forget(): void {
    this.#own.forget();
  }

  /** As OwnSight. */
  get isLate(): boolean {
    return this.#own.isLate;
  }

  /** As OwnSight. */
  renew(): void {
    this.#own.renew();
  }

  /** @param changing this session's own transaction may have changed what all see */
  async now(changing: boolean): Promise<Standing> {
    const { graphs, database } = this.#options;
    const server = this.#server ?? graphs.server(database);
    const now = await graphs.readPoint(database, server, this.#arrival);
    const own = this.#own.fresh(graphs, now);
    const temporaries = this.#own.hasTemporaries(graphs, now);
    const mayShare = own === undefined && temporaries !== true && !changing;
    const shared = mayShare ? this.#shared(now) : undefined;
    return {
      server,
      now,
      sight: own ?? shared,
      isShared: shared !== undefined,
      isLost: graphs.isWatched && this.#server === undefined,
      mayHaveTemporaries: shared !== undefined && temporaries === undefined,
    };
  }

  /**
   * The catalog was read. What was found in a transaction that had written something stays with this session, and so do
   * temporary relations.
   */
  record({ facts, fingerprint, known }: CatalogReading, asked: ReadPoint, changing: boolean): Sight {
    const { graphs, database } = this.#options;
    const scope = scopeOf(facts);
    if (scope === 'all' && !changing) graphs.recordFingerprint(database, fingerprint, asked);
    this.#own.record({ fingerprint, known, asked, scope });
    return { fingerprint, known };
  }

  /** As OwnSight. */
  recordTemporaries(any: boolean | null, asked: ReadPoint): void {
    this.#own.recordTemporaries(any, asked);
  }

  /** The session was told where it is. */
  locate(server: string): void {
    const { database, events, graphs } = this.#options;
    this.#server = server;
    const elsewhere = `graph.url leads to another database than ${database}: changes of its schema are noticed within graph.refresh`;
    if (graphs.recordServer(database, server)) events.warned(elsewhere);
  }

  /** Whether the session is where it was taken to be. */
  isAt(server: string | undefined): boolean {
    return this.#server === server;
  }

  #shared(now: ReadPoint): Sight | undefined {
    const { graphs, database } = this.#options;
    const fingerprint = graphs.currentFingerprint(database, now);
    const known = fingerprint === undefined ? undefined : graphs.get(database, fingerprint);
    return fingerprint === undefined || known === undefined ? undefined : { fingerprint, known };
  }
}
