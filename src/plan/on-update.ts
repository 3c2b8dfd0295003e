/** What comes of rows that leave keys by which others reference them: their ON UPDATE, as far as the proxy performs the keys. Pure. */
import type { Graph } from '../graph/graph.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { acts, conflict, followed, type Leaving, type Meeting, setBy, type Walked } from './leaving.js';
import { walkCircles } from './on-update-circles.js';

export interface UpdatePlan {
  /** The client's own first, each after that by which it comes; where keys lead in circles, one for each key. */
  readonly leaving: readonly Leaving[];
  /** What is changed may leave keys whose ON UPDATE has been carried out before: there is no last level. */
  readonly isCircular: boolean;
  /** Keys whose ON UPDATE cannot be carried out: a row that leaves one of them stops the statement. */
  readonly refused: readonly ForeignKey[];
}

/**
 * @param referenced what references columns that the client's statement sets
 * @param given the keys to which the statement gives values
 */
export function planUpdate(
  graph: Graph,
  relation: Relation,
  referenced: readonly ForeignKey[],
  given: readonly ForeignKey[] = [],
): UpdatePlan {
  const refused = new Set<ForeignKey>();
  const oldestFirst = [...referenced].sort((a, b) => a.id - b.id);
  for (;;) {
    const keys = oldestFirst.filter((key) => !refused.has(key));
    const own = { id: 0, relation, by: undefined, keys, written: [], isShared: false, meeting: [] };
    const straight = walk(graph, own);
    const walked = straight.kind === 'circle' ? walkCircles(graph, own) : straight;
    if (walked.kind === 'planned') {
      const first = walked.leaving.filter(({ by }) => by && keys.includes(by.key));
      const written = given.filter((key) =>
        (key.deferred ? walked.leaving : first).some((each) => givesKey(graph, each, key)),
      );
      const leaving = walked.leaving.map((each) =>
        each.by || written.length === 0 ? each : { ...each, written, isShared: true },
      );
      return { leaving, isCircular: straight.kind === 'circle', refused: [...refused] };
    }
    // It is one of the keys that the client's own rows may leave: there are fewer of these each time.
    refused.add(walked.refused);
  }
}

/** Whether a row of the client's own may leave a key by which others reference it. */
export function mayLeaveKeys({ leaving, refused }: UpdatePlan): boolean {
  return leaving.some(({ keys }) => keys.length > 0) || refused.length > 0;
}

/** Whether what a key references has its values from ON UPDATE, which is carried out after the statement. Natively the key is looked at after what its own row leaves. */
function givesKey(graph: Graph, { by, relation }: Leaving, { referenced, columns }: ForeignKey): boolean {
  if (by === undefined) return false;
  const isIts = graph.isPartOf(relation, referenced) || graph.isPartOf(referenced, relation);
  return isIts && columns.some((column) => setBy(by.key).includes(column.referenced));
}

/** What leads to more changes than this is planned as if it led in a circle. */
const MOST_LEAVING = 64;

function walk(graph: Graph, own: Leaving): Walked | { readonly kind: 'circle' } {
  const leaving: Leaving[] = [own];
  const shared = new Set<Leaving>();
  const meeting = new Map<Leaving, Meeting[]>();
  // The list grows while it is gone through: level by level.
  for (const above of leaving)
    for (const key of above.keys.filter(acts)) {
      const way = wayTo(leaving, above);
      if (way.some(({ by }) => by?.key === key) || leaving.length === MOST_LEAVING) return { kind: 'circle' };
      const next = followed(graph, { key, above: above.id }, leaving.length);
      if (next === undefined) return { kind: 'refused', refused: way[1]?.by?.key ?? key };
      for (const other of leaving) {
        if (other.by === undefined || !conflict(graph, key, other.by.key)) continue;
        shared.add(other).add(next);
        const otherWay = wayTo(leaving, other);
        if (otherWay.length !== way.length + 1) continue;
        // Where the two ways part, each goes on by a key of its own.
        const parts = way.findLastIndex((each) => otherWay.includes(each));
        const [at, one] = [way[parts], way[parts + 1]?.by?.key ?? key];
        const another = otherWay[parts + 1]?.by?.key;
        if (at && another) meeting.set(at, [...(meeting.get(at) ?? []), [another, one]]);
      }
      leaving.push(next);
    }
  return {
    kind: 'planned',
    leaving: leaving.map((each) => ({
      ...each,
      isShared: shared.has(each),
      meeting: meeting.get(each) ?? [],
    })),
  };
}

/** The client's own rows, and those that lead from them to others, which come last. */
function wayTo(all: readonly Leaving[], leaving: Leaving): readonly Leaving[] {
  const above = leaving.by?.above === undefined ? undefined : all[leaving.by.above];
  return above ? [...wayTo(all, above), leaving] : [leaving];
}
