/** The foreign-key graph: relations, and the keys between them that a DELETE has to follow. Immutable. */

import { readView } from '../sql/statement/view.js';
import { append } from './append.js';
import type { Base, BrokenKey, ForeignKey, Relation } from './model.js';
import type { GraphProblem } from './problems.js';
import { RelationNames } from './relation-names.js';

export class Graph {
  readonly #relations: ReadonlyMap<number, Relation>;
  readonly #keysTo = new Map<number, ForeignKey[]>();
  readonly #keysFrom = new Map<number, ForeignKey[]>();
  readonly #children = new Map<number, Relation[]>();
  readonly #brokenTo = new Map<number, BrokenKey[]>();
  readonly #broken: readonly BrokenKey[];
  #acting: ReadonlySet<number> | undefined;
  /** All keys, oldest first. */
  readonly keys: readonly ForeignKey[];
  /** What its relations are called. */
  readonly names: RelationNames;
  /** Whether there is any key for the proxy to perform, or a broken one. */
  readonly hasKeys: boolean;
  /** The same, or the configuration names one that any table may bring. */
  readonly isActive: boolean;
  /** What the configuration says that does not hold in this database. */
  readonly problems: readonly GraphProblem[];

  constructor(
    relations: ReadonlyMap<number, Relation>,
    keys: readonly ForeignKey[],
    broken: readonly BrokenKey[],
    problems: readonly GraphProblem[],
  ) {
    this.#relations = relations;
    this.names = new RelationNames(relations.values());
    this.problems = problems;
    this.#broken = broken;
    this.hasKeys = broken.length > 0 || keys.some(({ performer }) => performer === 'proxy');
    this.isActive = this.hasKeys || problems.some(({ kind }) => kind === 'missing relation');
    for (const key of broken) for (const { oid } of key.referenced) append(this.#brokenTo, oid, key);
    this.keys = [...keys].sort((a, b) => a.id - b.id);
    for (const key of this.keys) {
      append(this.#keysTo, key.referenced.oid, key);
      append(this.#keysFrom, key.referencing.oid, key);
    }
    for (const relation of relations.values())
      for (const parent of relation.parents) append(this.#children, parent, relation);
  }

  /** All relations that a key comes near. */
  get relations(): Iterable<Relation> {
    return this.#relations.values();
  }

  /** The same relations, with these keys between them. */
  withKeys(keys: readonly ForeignKey[]): Graph {
    return new Graph(this.#relations, keys, this.#broken, this.problems);
  }

  /** How many relations a key comes near. */
  get size(): number {
    return this.#relations.size;
  }

  /** The relation of this object id, or undefined where no key comes near it, or the server refuses. */
  relation(oid: number): Relation | undefined {
    return this.#relations.get(oid);
  }

  /**
   * The keys that a DELETE from this relation has to follow, oldest first: those that the proxy performs, and those
   * that the server cascades itself where the proxy has something to do below. A partition has its ancestors' keys.
   */
  readonly keysToFollow = once((relation): readonly ForeignKey[] => {
    const parent = this.#inheritsFrom(relation);
    if (parent) return this.keysToFollow(parent);
    return this.#keysOf(relation)
      .filter((key) => key.performer === 'proxy' || (isLeftToServer(key) && this.acts(key.referencing)))
      .sort((a, b) => a.id - b.id);
  });

  /** Every key that references this relation or an ancestor it is a partition of, performed by the proxy, the server or not at all. */
  keysTo(relation: Relation): readonly ForeignKey[] {
    return this.#keysOf(relation);
  }

  /** The broken relations of the configuration that reference this relation, or an ancestor it is a partition of. */
  brokenTo(relation: Relation): readonly BrokenKey[] {
    return [relation, ...this.ancestors(relation)].flatMap(({ oid }) => this.#brokenTo.get(oid) ?? []);
  }

  /** Every key declared on this relation. */
  keysFrom(relation: Relation): readonly ForeignKey[] {
    return this.#keysFrom.get(relation.oid) ?? [];
  }

  /** Every key that any row of this relation may have: declared on it, on a partition of it, or on what it is a partition of. */
  readonly keysOnRows = once((relation): readonly ForeignKey[] =>
    [...[...this.ancestors(relation)].reverse(), ...this.tree(relation)].flatMap((each) =>
      this.keysFrom(each),
    ),
  );

  /** Every key that references any row of this relation. */
  readonly keysToRows = once((relation): readonly ForeignKey[] => {
    const [, ...partitions] = this.tree(relation);
    const inherited = this.#keysOf(relation);
    if (partitions.length === 0) return inherited;
    return [...inherited, ...partitions.flatMap(({ oid }) => this.#keysTo.get(oid) ?? [])];
  });

  /** Whether deleting from this relation concerns the proxy at all. */
  acts(relation: Relation): boolean {
    this.#acting ??= this.#findActing();
    return this.#acting.has(relation.oid);
  }

  /** The partitions and inheritance children of a relation, at any depth. */
  readonly descendants = once((relation): readonly Relation[] =>
    below(relation, ({ oid }) => this.#children.get(oid) ?? []).slice(1),
  );

  /** A relation and its partitions at any depth: where its rows are. Inheritance children have rows of their own. */
  readonly tree = once((relation): readonly Relation[] =>
    below(relation, ({ oid }) => (this.#children.get(oid) ?? []).filter(({ partition }) => partition)),
  );

  /** Whether a relation is in the tree of another one: is it, or a partition of it. */
  isPartOf(relation: Relation, whole: Relation): boolean {
    return relation.oid === whole.oid || this.ancestors(relation).some(({ oid }) => oid === whole.oid);
  }

  /** The relations that a partition is part of, at any height: it has inherited their keys and triggers. */
  ancestors(relation: Relation): readonly Relation[] {
    if (!relation.partition) return [];
    return this.#parents(relation).flatMap((parent) => [parent, ...this.ancestors(parent)]);
  }

  /** A relation and all that have rows in common with it: those that it is a part or an inheritance child of, and its own. */
  readonly sharing = once((relation): readonly Relation[] => [
    ...below(relation, (each) => this.#parents(each)),
    ...this.descendants(relation),
  ]);

  /** The relations that a view shows rows of, at any depth. */
  viewed(view: Relation): readonly Relation[] {
    return view.viewOf.flatMap((oid) => this.#relations.get(oid) ?? []);
  }

  /**
   * The table that a DELETE from a view deletes from: undefined where no key comes near it, or the server refuses.
   * @returns 'unknown' where the view's definition does not show it, or rewrite rules or triggers decide
   */
  readonly base = once((view): Base | 'unknown' | undefined =>
    this.#baseOf(view, this.base, view.mayKeepRows || view.rewriteRules),
  );

  /** The same of what is inserted into a view, and changed in it. */
  readonly writtenBase = once((view): Base | 'unknown' | undefined =>
    this.#baseOf(view, this.writtenBase, view.redirectsWrites),
  );

  /** @param isDecidedElsewhere what is done to its rows, the server does not do to those that it shows */
  #baseOf(
    view: Relation,
    baseOf: (view: Relation) => Base | 'unknown' | undefined,
    isDecidedElsewhere: boolean,
  ): Base | 'unknown' | undefined {
    const shown = view.definition === null ? undefined : readView(view.definition);
    if (shown === undefined || isDecidedElsewhere) return 'unknown';
    if (shown === 'not updatable') return undefined;
    const { schema, name } = shown.from;
    // A name without a schema was written for a search_path that nobody knows now.
    const named = view.reads.filter(
      (each) => each.name === name && (schema === undefined || each.schema === schema),
    );
    const [read, ...more] = named;
    if (read === undefined || more.length > 0) return 'unknown';
    const table = this.#relations.get(read.oid);
    if (table === undefined) return undefined;
    const below = table.kind === 'v' ? baseOf(table) : undefined;
    if (table.kind === 'v' && (below === 'unknown' || below === undefined)) return below;
    const through = typeof below === 'object' ? below.shows : undefined;
    const shows = view.columns.flatMap(({ name }, i): [string, string][] => {
      const read = shown.columns[i];
      const column = read === undefined || through === undefined ? read : through.get(read);
      return column === undefined ? [] : [[name, column]];
    });
    const { relation, only } = typeof below === 'object' ? below : { relation: table, only: shown.only };
    const columns = new Map(shows.map(([name, column]) => [column, name]));
    return { relation, only, columns, shows: new Map(shows) };
  }

  /**
   * The relations a DELETE from which concerns the proxy: rows of theirs are referenced by a key that the proxy performs, or by a
   * broken one, if only in a partition; or keys that the server cascades lead from them to such a relation. They are found
   * backwards from those keys, so that each relation is visited once.
   */
  #findActing(): ReadonlySet<number> {
    const acting = new Set<number>();
    const leading = new Map<number, number[]>();
    for (const relation of this.#relations.values()) {
      if (this.tree(relation).some((each) => this.brokenTo(each).length > 0)) acting.add(relation.oid);
      for (const key of this.keysToRows(relation))
        if (key.performer === 'proxy') acting.add(relation.oid);
        else if (isLeftToServer(key)) append(leading, key.referencing.oid, relation.oid);
    }
    for (const oid of acting) for (const above of leading.get(oid) ?? []) acting.add(above);
    return acting;
  }

  readonly #keysOf = once((relation): readonly ForeignKey[] => {
    const parent = this.#inheritsFrom(relation);
    if (parent) return this.#keysOf(parent);
    return [relation, ...this.ancestors(relation)].flatMap(({ oid }) => this.#keysTo.get(oid) ?? []);
  });

  /** The parent of a partition that no key references itself: thousands of such partitions share the parent's list of keys. */
  #inheritsFrom(relation: Relation): Relation | undefined {
    if (!relation.partition || this.#keysTo.has(relation.oid)) return undefined;
    const [parent, ...more] = this.#parents(relation);
    return more.length === 0 ? parent : undefined;
  }

  #parents(relation: Relation): readonly Relation[] {
    return relation.parents.flatMap((oid) => this.#relations.get(oid) ?? []);
  }
}

/** The server cascades the key itself. */
function isLeftToServer({ performer, action }: ForeignKey): boolean {
  return performer === 'server' && action === 'cascade';
}

/** Works something out once for each relation, and remembers it: the graph does not change. */
function once<T>(work: (relation: Relation) => T): (relation: Relation) => T {
  const known = new Map<number, { readonly value: T }>();
  return (relation) => {
    const before = known.get(relation.oid);
    if (before) return before.value;
    const value = work(relation);
    known.set(relation.oid, { value });
    return value;
  };
}

/** A relation and all relations below it, each after its parent. */
function below(
  relation: Relation,
  childrenOf: (relation: Relation) => readonly Relation[],
): readonly Relation[] {
  const found = new Set<Relation>();
  const waiting = [relation];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    for (const child of [...childrenOf(next)].reverse()) waiting.push(child);
  }
  return [...found];
}
