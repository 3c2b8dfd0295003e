/** Keys whose ON UPDATE leads back to themselves: what each of them changes, whichever change came before. Pure. */
import type { Graph } from '../graph/graph.js';
import type { ForeignKey } from '../graph/model.js';
import { acts, conflict, followed, type Leaving, type Meeting, type Walked } from './leaving.js';

/**
 * One for each key that may act, as often as it does: what one statement has changed is gone through as a whole before what came later, which
 * is PostgreSQL's own order (decision 81), however many times a key comes back.
 */
export function walkCircles(graph: Graph, own: Leaving): Walked {
  const leaving: Leaving[] = [own];
  const byKey = new Map<ForeignKey, Leaving>();
  for (const root of own.keys.filter(acts)) {
    const found: ForeignKey[] = [root];
    // The list grows while it is gone through.
    for (const key of found) {
      const before = byKey.get(key);
      const next = before ?? followed(graph, { key, above: undefined }, leaving.length);
      if (next === undefined) return { kind: 'refused', refused: root };
      if (before) continue;
      byKey.set(key, next);
      leaving.push(next);
      found.push(...next.keys.filter(acts));
    }
  }
  const below = (key: ForeignKey) => byKey.get(key)?.keys.filter(acts) ?? [];
  const meeting = (keys: readonly ForeignKey[]) =>
    keys.flatMap((one, i) =>
      keys
        .slice(i + 1)
        .flatMap((other): Meeting[] => (doMeet(graph, one, other, below) ? [[one, other]] : [])),
    );
  return {
    kind: 'planned',
    leaving: leaving.map((each) => ({ ...each, isShared: true, meeting: meeting(each.keys.filter(acts)) })),
  };
}

/** After so many levels that are all different, it is taken for granted that two keys meet. */
const MOST_LEVELS = 256;

/** Whether two keys of one row lead, by ways of the same length, to keys that may change the same rows. */
function doMeet(
  graph: Graph,
  one: ForeignKey,
  other: ForeignKey,
  below: (key: ForeignKey) => readonly ForeignKey[],
): boolean {
  let [some, others] = [[one], [other]];
  const seen = new Set<string>();
  for (let level = 0; level < MOST_LEVELS; level++) {
    if (some.length === 0 || others.length === 0) return false;
    if (some.some((each) => others.some((another) => conflict(graph, each, another)))) return true;
    const state = [some, others].map((keys) => keys.map(({ id }) => id).join()).join(';');
    if (seen.has(state)) return false;
    seen.add(state);
    some = [...new Set(some.flatMap(below))];
    others = [...new Set(others.flatMap(below))];
  }
  return true;
}
