/** What the names in a text mean to one session, and the graph they are in. */
import { Graph } from '../../graph/graph.js';
import type { GuardLevel } from '../../plan/guard.js';
import type { LimitMode } from '../../render/paged/limit-mode.js';
import type { LockMode } from '../../render/single/locks.js';
import type { RelationName } from '../../sql/names.js';
import type { CatalogState } from './own-catalog-state.js';

export interface ResolvedContext {
  readonly kind: 'resolved';
  readonly graph: Graph;
  /** Whether the graph is made of names alone: nothing is known of the server's catalog. */
  readonly isByNames?: boolean;
  /** Tells the graph from all others. */
  readonly graphId: string;
  /** False where the session or its role switched cascades off. */
  readonly active: boolean;
  /** What the session says of new keys; undefined where it says nothing. */
  readonly guard: GuardLevel | undefined;
  /** How many rows a transaction of a cascade may take; 0 for any number. */
  readonly batchRows: number;
  /** What becomes of a cascade that reaches a limit of the server's. */
  readonly onLimit: LimitMode;
  /** What the session says of locks before a DELETE; undefined where it says nothing. */
  readonly locks: LockMode | undefined;
  readonly meaning: (name: RelationName) => number | null;
  /** Whether a name of the statement hides a relation of the graph: any other statement may change that. */
  readonly hides: boolean;
}

export const NO_GRAPH = new Graph(new Map(), [], [], []);

/** The context where the configuration switches cascades off: in every database the proxy has nothing to do. */
export const OFF_CONTEXT: ResolvedContext = {
  kind: 'resolved',
  graph: NO_GRAPH,
  graphId: 'off',
  active: true,
  guard: 'off',
  locks: undefined,
  batchRows: 0,
  onLimit: 'fail',
  meaning: () => null,
  hides: false,
};

/** The context where the graph is empty: nothing depends on what names mean, nor on the session's settings. */
export function emptyContext({ known: { graph, id } }: CatalogState): ResolvedContext {
  return { ...OFF_CONTEXT, graph, graphId: id };
}
