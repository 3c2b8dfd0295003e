/** What the metrics are looked up from when someone asks for them. */

/** What a client is doing: `login` until its first ReadyForQuery, `transaction` where one is open and nothing is asked. */
export type SessionState = 'login' | 'idle' | 'active' | 'transaction';

/** The graph that the proxy has of a database: seconds since it was known to hold, and what is in it. */
export interface GraphSize {
  readonly database: string;
  readonly age: number;
  readonly tables: number;
  readonly keys: number;
}

/** How often something was found in a cache, and how often not. */
export interface CacheUse {
  readonly cache: string;
  readonly hits: number;
  readonly misses: number;
}

/** Bytes between the proxy and its clients, of all that have ever been there. */
export interface Traffic {
  readonly fromClients: number;
  readonly toClients: number;
}

/** What is looked up when someone asks for the metrics. */
export interface MetricSources {
  readonly version: string;
  traffic(): Traffic;
  sessions(): Iterable<SessionState>;
  graphs(): Iterable<GraphSize>;
  caches(): Iterable<CacheUse>;
}
