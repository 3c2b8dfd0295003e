/** The rows that a sequence has found so far: of each table whose rows others reference, what is known of them. */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { oncePerPlan, type Plan } from '../../plan/plan.js';
import { Layers } from './layers.js';
import type { Key } from './literals.js';

/** A table of whose rows keys are held. */
export interface HeldTable {
  readonly relation: Relation;
  /** The columns that are read of its rows. */
  readonly columns: readonly string[];
  /** Those of them that tell its rows apart; empty where nothing is known that does. */
  readonly identity: readonly string[];
}

/** The client's own table, and all that a followed key references, in the order of the plan. */
export const heldTables = oncePerPlan((plan): ReadonlyMap<Relation, HeldTable> => {
  const relations = new Set(
    plan.deletions.map(({ relation }) => relation).filter((each, i) => i === 0 || plan.members.has(each)),
  );
  return new Map(
    [...relations].map((relation): [Relation, HeldTable] => {
      const referenced = plan.keys
        .filter((key) => key.referenced === relation)
        .flatMap(({ columns }) => columns.map((column) => column.referenced));
      const { primaryKey: identity } = relation;
      return [relation, { relation, identity, columns: [...new Set([...identity, ...referenced])] }];
    }),
  );
});

/** The rows that one level has brought. */
export type Level = ReadonlyMap<Relation, readonly Key[]>;

export class FoundRows {
  readonly #tables: ReadonlyMap<Relation, HeldTable>;
  readonly #rows = new Map<Relation, Key[]>();
  readonly #known = new Map<Relation, Set<string>>();
  readonly #layers: Layers | undefined;
  #level = new Map<Relation, Key[]>();
  /** How many of each table's rows are the client's own: they were found first. */
  #roots = 0;
  #bytes = 0;

  /** @param hasLayers a row is told again where a later level brings it again */
  constructor(plan: Plan, hasLayers = false) {
    this.#tables = heldTables(plan);
    this.#layers = hasLayers ? new Layers() : undefined;
  }

  /** Which of them go before which; undefined where nothing is known of that. */
  get layers(): Layers | undefined {
    return this.#layers;
  }

  /** What is held, in characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many rows the client's own DELETE takes. */
  get roots(): number {
    return this.#roots;
  }

  /**
   * A row that was found. That it is one that is known already is told by its identity, as this server has written it: the same row
   * is written in the same way. Whether a row references another one the server alone compares.
   * @param key a literal for each column of HeldTable.columns
   * @returns false where nothing tells it from others: a part of its identity is null
   */
  add(relation: Relation, key: Key, origin: 'client' | 'key'): boolean {
    const identity = this.#identityOf(relation, key);
    if (identity.includes(null)) return false;
    const name = JSON.stringify(identity);
    const known = this.#known.get(relation) ?? new Set();
    const isNew = !known.has(name);
    if (this.#layers ? this.#layers.add(relation, name, origin) : isNew) append(this.#level, relation, key);
    if (!isNew) return true;
    this.#known.set(relation, known.add(name));
    append(this.#rows, relation, key);
    if (origin === 'client') this.#roots++;
    this.#bytes += 2 * name.length + key.reduce((sum, each) => sum + (each?.length ?? 4), 0);
    return true;
  }

  /** Ends a level. @returns the rows that it has brought */
  endLevel(): Level {
    const level = this.#level;
    this.#level = new Map();
    return this.#layers?.end() === 'in a circle' ? new Map() : level;
  }

  /** The keys by which rows may reference those that were found, each once: none with a null, as nothing references that. */
  referencedBy(key: ForeignKey, level: Level = this.#rows): readonly Key[] {
    const columns = key.columns.map(({ referenced }) => referenced);
    const keys = new Map<string, Key>();
    for (const row of level.get(key.referenced) ?? []) {
      const part = this.#part(key.referenced, row, columns);
      if (!part.includes(null)) keys.set(part.join(', '), part);
    }
    return [...keys.values()];
  }

  /** What tells apart the rows of a table that were found: the client's own, or all others, those found last first. */
  identities(relation: Relation, origin: 'client' | 'key' | 'any', client: Relation): readonly Key[] {
    const rows = this.#rows.get(relation) ?? [];
    const roots = relation === client ? this.#roots : 0;
    const some = origin === 'any' ? rows : origin === 'client' ? rows.slice(0, roots) : rows.slice(roots);
    return some.map((row) => this.#identityOf(relation, row)).reverse();
  }

  #identityOf(relation: Relation, row: Key): Key {
    return this.#part(relation, row, this.#tables.get(relation)?.identity ?? []);
  }

  #part(relation: Relation, row: Key, columns: readonly string[]): Key {
    const all = this.#tables.get(relation)?.columns ?? [];
    return columns.map((column) => row[all.indexOf(column)] ?? null);
  }
}

function append(rows: Map<Relation, Key[]>, relation: Relation, key: Key): void {
  const some = rows.get(relation);
  if (some) some.push(key);
  else rows.set(relation, [key]);
}
