/** The foreign-key graph: relations, and the keys between them that a DELETE has to follow. Immutable. */
import type { RelationName } from '../sql/names.js';
import { readView } from '../sql/view.js';
import type { CatalogRelation, KeyColumn, KeyCopy } from './catalog.js';
import type { Problem } from './problems.js';
import type { Action } from './rules.js';

/** Who carries a key's action out. */
export type Performer = 'proxy' | 'server' | 'nobody';

export interface ForeignKey {
  /** Whether the catalog has it; else the configuration alone knows it. */
  readonly declared: boolean;
  /** Orders keys as they were created: the order in which PostgreSQL fires them. */
  readonly id: number;
  readonly name: string;
  /** The referencing relation. */
  readonly from: Relation;
  /** The referenced relation. */
  readonly to: Relation;
  readonly columns: readonly KeyColumn[];
  readonly action: Action;
  readonly performer: Performer;
  /** The server enforces it, with the action that the catalog has: the proxy's comes before. */
  readonly guarded: boolean;
  /** The server enforces it, with whatever action: it checks new keys, and carries out ON UPDATE. */
  readonly enforced: boolean;
  /** What the key checks it natively checks at COMMIT. Its actions come at once all the same. */
  readonly deferred: boolean;
  /** The columns that SET NULL and SET DEFAULT change: all, unless the key lists some. */
  readonly setColumns: readonly string[];
  readonly full: boolean;
  readonly period: boolean;
  readonly copies: readonly KeyCopy[];
}

/** A relation of the configuration that cannot be followed: no row of what it references may be deleted. */
export interface BrokenKey {
  readonly name: string;
  /** The referenced relation; of a view also the tables that it shows. */
  readonly to: readonly Relation[];
  /** What is wrong with it, and what to do. */
  readonly fault: string;
  readonly remedy: string;
}

export type Relation = CatalogRelation & RelationName;

/** What a view shows. */
export interface Base {
  readonly relation: Relation;
  readonly only: boolean;
  /** What the view calls the table's columns. */
  readonly columns: ReadonlyMap<string, string>;
}

export class Graph {
  readonly #relations: ReadonlyMap<number, Relation>;
  readonly #keysTo = new Map<number, ForeignKey[]>();
  readonly #keysFrom = new Map<number, ForeignKey[]>();
  readonly #children = new Map<number, Relation[]>();
  readonly #brokenTo = new Map<number, BrokenKey[]>();
  /** Whether there is any key for the proxy to perform, or a broken one. */
  readonly hasKeys: boolean;
  /** The same, or the configuration names one that any table may bring. */
  readonly isActive: boolean;
  /** What of the configuration this database does not bear out. */
  readonly problems: readonly Problem[];

  constructor(
    relations: ReadonlyMap<number, Relation>,
    keys: readonly ForeignKey[],
    broken: readonly BrokenKey[],
    problems: readonly Problem[],
  ) {
    this.#relations = relations;
    this.problems = problems;
    this.hasKeys = broken.length > 0 || keys.some(({ performer }) => performer === 'proxy');
    this.isActive = this.hasKeys || problems.some(({ kind }) => kind === 'missing relation');
    for (const key of broken) for (const { oid } of key.to) append(this.#brokenTo, oid, key);
    for (const key of [...keys].sort((a, b) => a.id - b.id)) {
      append(this.#keysTo, key.to.oid, key);
      append(this.#keysFrom, key.from.oid, key);
    }
    for (const relation of relations.values())
      for (const parent of relation.parents) append(this.#children, parent, relation);
  }

  /** The relation of this object id, or undefined where no key comes near it, or the server refuses. */
  relation(oid: number): Relation | undefined {
    return this.#relations.get(oid);
  }

  /**
   * The keys that a DELETE from this relation has to follow, oldest first: those that the proxy performs, and those
   * that the server cascades itself where the proxy has something to do below. A partition has its ancestors' keys.
   */
  keysToFollow(relation: Relation): readonly ForeignKey[] {
    return this.#keysOf(relation)
      .filter(
        (key) =>
          key.performer === 'proxy' ||
          (key.performer === 'server' && key.action === 'cascade' && this.#cascadesOn(key.from, new Set())),
      )
      .sort((a, b) => a.id - b.id);
  }

  /** Every key that references this relation or an ancestor it is a partition of, whoever performs it. */
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
  keysOnRows(relation: Relation): readonly ForeignKey[] {
    return [...this.#ancestors(relation), ...this.tree(relation)].flatMap((each) => this.keysFrom(each));
  }

  /** Every key that references any row of this relation. */
  keysToRows(relation: Relation): readonly ForeignKey[] {
    return [...new Set(this.tree(relation).flatMap((each) => this.#keysOf(each)))];
  }

  /** Whether deleting from this relation concerns the proxy at all. */
  acts(relation: Relation): boolean {
    return this.#cascadesOn(relation, new Set());
  }

  /** The partitions and inheritance children of a relation, at any depth. */
  descendants(relation: Relation): readonly Relation[] {
    const found = new Set<Relation>();
    const visit = (parent: Relation): void => {
      for (const child of this.#children.get(parent.oid) ?? []) {
        if (!found.has(child)) {
          found.add(child);
          visit(child);
        }
      }
    };
    visit(relation);
    return [...found];
  }

  /** A relation and its partitions at any depth: where its rows are. Inheritance children have rows of their own. */
  tree(relation: Relation): readonly Relation[] {
    const partitions = (this.#children.get(relation.oid) ?? []).filter(({ partition }) => partition);
    return [relation, ...partitions.flatMap((each) => this.tree(each))];
  }

  /** What a partition is one of, at any height: what it has inherited keys and triggers from. */
  ancestors(relation: Relation): readonly Relation[] {
    if (!relation.partition) return [];
    return this.#parents(relation).flatMap((parent) => [parent, ...this.ancestors(parent)]);
  }

  /** The relations that a view shows rows of, at any depth. */
  viewed(view: Relation): readonly Relation[] {
    return view.viewOf.flatMap((oid) => this.#relations.get(oid) ?? []);
  }

  /**
   * The table that a DELETE from a view deletes from: undefined where no key comes near it, or the server refuses.
   * @returns 'unknown' where it cannot be told
   */
  base(view: Relation): Base | 'unknown' | undefined {
    const shown = view.definition === null ? undefined : readView(view.definition);
    if (shown === undefined || view.keeps || view.rules) return 'unknown';
    if (shown === 'not updatable') return undefined;
    const { schema, name } = shown.from;
    // Where it has no schema, whose search_path it was written for is not known.
    const named = view.reads.filter(
      (each) => each.name === name && (schema === undefined || each.schema === schema),
    );
    const [read, ...more] = named;
    if (read === undefined || more.length > 0) return 'unknown';
    const table = this.#relations.get(read.oid);
    if (table === undefined) return undefined;
    const below = table.kind === 'v' ? this.base(table) : { relation: table, only: shown.only };
    if (below === 'unknown' || below === undefined) return below;
    const own = new Map(
      view.columns.flatMap(({ name }, i): [string, string][] => {
        const column = shown.columns[i];
        return column === undefined ? [] : [[column, name]];
      }),
    );
    if (!('columns' in below)) return { ...below, columns: own };
    const columns = [...below.columns].flatMap(([column, through]): [string, string][] => {
      const name = own.get(through);
      return name === undefined ? [] : [[column, name]];
    });
    return { ...below, columns: new Map(columns) };
  }

  /**
   * Through keys that the server cascades, to one that the proxy has to perform or must not let pass, were it one of a
   * partition alone.
   */
  #cascadesOn(relation: Relation, seen: Set<number>): boolean {
    if (seen.has(relation.oid)) return false;
    seen.add(relation.oid);
    const partitions = this.descendants(relation).filter(({ partition }) => partition);
    if ([relation, ...partitions].some((each) => this.brokenTo(each).length > 0)) return true;
    return [relation, ...partitions]
      .flatMap((each) => this.#keysOf(each))
      .some(
        (key) =>
          key.performer === 'proxy' ||
          (key.performer === 'server' && key.action === 'cascade' && this.#cascadesOn(key.from, seen)),
      );
  }

  /** What it is a partition of, at any height. */
  #ancestors(relation: Relation): readonly Relation[] {
    if (!relation.partition) return [];
    const parents = relation.parents.flatMap((oid) => this.#relations.get(oid) ?? []);
    return parents.flatMap((parent) => [...this.#ancestors(parent), parent]);
  }

  #keysOf(relation: Relation): ForeignKey[] {
    return [relation, ...this.ancestors(relation)].flatMap(({ oid }) => this.#keysTo.get(oid) ?? []);
  }

  #parents(relation: Relation): readonly Relation[] {
    return relation.parents.flatMap((oid) => this.#relations.get(oid) ?? []);
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
