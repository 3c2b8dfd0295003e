/**
 * The order of what refers to one another, as PostgreSQL sorts the CTEs of a WITH RECURSIVE (TopologicalSort in
 * parse_cte.c): for each place in turn, the first that is left whose references all stand before it changes places with
 * what stands there.
 */

/**
 * @param references of each member those to which it refers, itself not among them
 * @returns the members in order; where none is without open references, the rest as it stands
 */
export function referencedFirst(references: readonly ReadonlySet<number>[]): number[] {
  const order = [...references.keys()];
  /** Where each member stands. One that is free stays where it is until its turn. */
  const places = [...order];
  const open = references.map(({ size }) => size);
  const referring = references.map((): number[] => []);
  for (const [member, each] of references.entries()) for (const other of each) referring[other]?.push(member);
  const free = new Lowest();
  for (const member of order) if (open[member] === 0) free.add(member);
  for (let at = 0; at < order.length; at++) {
    const place = free.take();
    if (place === undefined) break;
    const [one = 0, other = 0] = [order[at], order[place]];
    [order[at], order[place]] = [other, one];
    [places[other], places[one]] = [at, place];
    for (const member of referring[other] ?? []) {
      const left = (open[member] ?? 0) - 1;
      open[member] = left;
      if (left === 0) free.add(places[member] ?? 0);
    }
  }
  return order;
}

/** Numbers of which the lowest is taken first: a binary heap. */
class Lowest {
  readonly #heap: number[] = [];

  add(value: number): void {
    const heap = this.#heap;
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const above = heap[(at - 1) >> 1] ?? 0;
      if (above <= value) break;
      heap[at] = above;
    }
    heap[at] = value;
  }

  take(): number | undefined {
    const heap = this.#heap;
    const lowest = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return lowest;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left = last, right = last] = [heap[below], heap[below + 1]];
      if (right < left) below++;
      const lower = Math.min(left, right);
      if (lower >= last) break;
      heap[at] = lower;
      at = below;
    }
    heap[at] = last;
    return lowest;
  }
}
