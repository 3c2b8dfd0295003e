/** The rows that a run has found so far, for each table that a key of the plan references: their primary keys and referenced columns. */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { oncePerPlan, type Plan } from '../../plan/plan.js';
import { Layers } from './layers.js';
import type { Key } from './literals.js';

/** A table whose found rows are held. */
export interface HeldTable {
  readonly relation: Relation;
  /** The columns that are read of its rows. */
  readonly columns: readonly string[];
  /** The primary key, which is among them; empty where the table has none. */
  readonly identity: readonly string[];
}

/** The client's own table, and all tables that a key of the plan references, in the order of the plan. */
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

/** The rows that one level has found. */
export type Level = ReadonlyMap<Relation, readonly Key[]>;

export class FoundRows {
  readonly #tables: ReadonlyMap<Relation, HeldTable>;
  readonly #rows = new Map<Relation, Key[]>();
  readonly #known = new Map<Relation, Set<string>>();
  readonly #layers: Layers | undefined;
  #level = new Map<Relation, Key[]>();
  /** How many rows are the client's own: these are the first of their table. */
  #roots = 0;
  #bytes = 0;

  /** @param hasLayers a row that a later level finds again is in that level again (layers.ts) */
  constructor(plan: Plan, hasLayers = false) {
    this.#tables = heldTables(plan);
    this.#layers = hasLayers ? new Layers() : undefined;
  }

  /** The layers in which they are deleted; undefined where they are deleted table by table. */
  get layers(): Layers | undefined {
    return this.#layers;
  }

  /** How much is held, in characters. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many rows the client's own DELETE takes. */
  get roots(): number {
    return this.#roots;
  }

  /**
   * Adds a row that was found, unless it is held already. Two rows are the same where the texts of their primary keys are equal, as one
   * server always writes a value in the same way. Whether one row references another, only the server compares.
   * @param key a literal for each column of HeldTable.columns
   * @returns false where the identity has a null, so that it does not identify the row
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

  /** Ends a level. @returns the rows that it has found */
  endLevel(): Level {
    const level = this.#level;
    this.#level = new Map();
    return this.#layers?.end() === 'in a circle' ? new Map() : level;
  }

  /** The distinct values of a key's referenced columns in the rows that were found, without those with a null, which nothing references. */
  referencedBy(key: ForeignKey, level: Level = this.#rows): readonly Key[] {
    const columns = key.columns.map(({ referenced }) => referenced);
    const keys = new Map<string, Key>();
    for (const row of level.get(key.referenced) ?? []) {
      const part = this.#part(key.referenced, row, columns);
      if (!part.includes(null)) keys.set(part.join(', '), part);
    }
    return [...keys.values()];
  }

  /** The identities of the rows of a table that were found: of the client's own, of all others, or of any; the last found comes first. */
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
