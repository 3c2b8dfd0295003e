/** The graph by which a DELETE leaves nothing to the server. */
import type { Graph } from './graph.js';
import type { ForeignKey } from './model.js';

const made = new WeakMap<Graph, Graph>();

/**
 * The same graph, in which the proxy also performs the keys that the server performs: it empties what hangs below a row before
 * the row goes. Made once.
 */
export function emptying(graph: Graph): Graph {
  const known = made.get(graph) ?? graph.withKeys(graph.keys.map(performedByProxy));
  made.set(graph, known);
  return known;
}

/** A key of the server's is performed by the proxy, before the server has to. */
function performedByProxy(key: ForeignKey): ForeignKey {
  if (key.performer !== 'server') return key;
  return { ...key, performer: 'proxy', enforcedByServer: !['restrict', 'no action'].includes(key.action) };
}
