/** Says in SQL which rows are meant: those that go, and those that reference them. */
import type { ForeignKey, Relation } from '../graph/model.js';
import { cascades, type Plan } from '../plan/plan.js';
import type { ScriptDialect } from './dialects/script-dialect.js';

/** A column of a row that goes, as it is kept. */
export interface KeptColumn {
  /** In its own table. */
  readonly column: string;
  /** In the temporary table. */
  readonly as: string;
}

/** The temporary table that has the rows of one relation which go. */
export interface Kept {
  readonly relation: Relation;
  readonly name: string;
  readonly columns: readonly KeptColumn[];
  /** Those that tell its rows apart; none where nothing does. */
  readonly identity: readonly KeptColumn[];
}

/** What an address of a row is called, as no table can have a column of its name. */
const ADDRESS = 'pgc_row';

export class Rows {
  readonly #plan: Plan;
  readonly #dialect: ScriptDialect;
  /** The relations of which rows are kept: what is referenced, and what the client's DELETE names. */
  readonly kept: ReadonlyMap<Relation, Kept>;
  /** How often a statement names each temporary table, where the engine takes one name once. */
  readonly #uses = new Map<string, number>();
  /** How many copies of each temporary table are needed beside the first one. */
  readonly copies = new Map<string, number>();

  constructor(plan: Plan, dialect: ScriptDialect, identity: (relation: Relation) => readonly string[]) {
    this.#plan = plan;
    this.#dialect = dialect;
    this.kept = keptOf(plan, identity);
  }

  /** A statement begins: what it names is counted from here on. */
  begin(): void {
    this.#uses.clear();
  }

  /** The name of a temporary table, or of a copy of it. */
  source(name: string): string {
    const uses = this.#uses.get(name) ?? 0;
    this.#uses.set(name, uses + 1);
    if (this.#dialect.reopens || uses === 0) return this.#dialect.quote(name);
    this.copies.set(name, Math.max(this.copies.get(name) ?? 0, uses));
    return this.#dialect.quote(copyName(name, uses));
  }

  /**
   * `"org_id" IN (SELECT "id" FROM "pgc_orgs")`: the row references by this key a row that goes.
   * @param reference what stands before the columns of the referencing table
   */
  byKey(key: ForeignKey, reference = ''): string {
    const columns = key.columns.map(({ referencing, collation }) =>
      this.#collated(`${reference}${this.#dialect.quote(referencing)}`, collation),
    );
    return this.isKept(columns, key);
  }

  /** `(values) IN (SELECT … FROM "pgc_orgs")`: these are the key of a row that goes. */
  isKept(values: readonly string[], key: ForeignKey): string {
    const kept = this.kept.get(key.referenced);
    if (!kept) return '1 = 0';
    const wanted = key.columns.map(
      ({ referenced }) => kept.columns.find(({ column }) => column === referenced)?.as ?? referenced,
    );
    return this.#in(values, wanted, kept);
  }

  /** The rows of a relation that go, as a condition on its columns. */
  isGone(relation: Relation, reference = ''): string {
    const kept = this.kept.get(relation);
    const identity = kept?.identity ?? [];
    if (kept && identity.length > 0) {
      const columns = identity.map(({ column }) => `${reference}${this.#column(column)}`);
      return this.#in(
        columns,
        identity.map(({ as }) => as),
        kept,
      );
    }
    const keys = this.#plan.deletions
      .filter((each) => each.relation === relation)
      .flatMap((each) => each.keys);
    return anyOf(keys.filter(cascades).map((key) => this.byKey(key, reference)));
  }

  /** The rest of a condition that leaves out the rows which go; empty where none can. */
  butNotGone(relation: Relation, reference = ''): string {
    if (!this.#plan.deletions.some((each) => each.relation === relation)) return '';
    return ` AND (${this.isGone(relation, reference)}) IS NOT TRUE`;
  }

  /** What is kept of a row, as a SELECT says it. */
  selected(kept: Kept, reference: string): readonly string[] {
    return kept.columns.map(({ column, as }) => {
      const own = `${reference}${this.#column(column)}`;
      return column === as ? own : `${own} AS ${this.#dialect.quote(as)}`;
    });
  }

  /** `p."id" = c."parent_id"`: how the referenced and the referencing row of a key have the same key. */
  joined(key: ForeignKey, referenced: (column: string) => string, referencing: string): string {
    return key.columns
      .map((pair) => {
        const own = this.#collated(`${referencing}${this.#dialect.quote(pair.referencing)}`, pair.collation);
        return `${own} = ${referenced(pair.referenced)}`;
      })
      .join(' AND ');
  }

  #in(values: readonly string[], wanted: readonly string[], { name }: Kept): string {
    const left = values.length === 1 ? values[0] : `(${values.join(', ')})`;
    const columns = wanted.map((each) => this.#dialect.quote(each)).join(', ');
    return `${left} IN (SELECT ${columns} FROM ${this.source(name)})`;
  }

  #collated(column: string, collation: string | null): string {
    return collation === null ? column : `${column} COLLATE ${collation}`;
  }

  /** The address of a row is no name of a column, and quoted it would be taken for one. */
  #column(column: string): string {
    return ADDRESSES.has(column) ? column : this.#dialect.quote(column);
  }
}

const ADDRESSES: ReadonlySet<string> = new Set(['rowid', '_rowid_', 'oid', 'ctid']);

/** The name of the n-th copy of a temporary table. */
export function copyName(name: string, n: number): string {
  return `${name}_${n + 1}`;
}

/** Conditions of which one has to hold. */
export function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '1 = 0' : conditions.join(' OR ');
}

function keptOf(
  { deletions, keys }: Plan,
  identity: (relation: Relation) => readonly string[],
): ReadonlyMap<Relation, Kept> {
  const kept = new Map<Relation, Kept>();
  const names = new Set<string>(['pgc_rules', 'pgc_before']);
  for (const { relation, origin } of deletions) {
    const referenced = keys
      .filter((key) => key.referenced === relation)
      .flatMap((key) => key.columns.map((column) => column.referenced));
    if (kept.has(relation) || (origin === 'key' && referenced.length === 0)) continue;
    const own = identity(relation).map((column) => ({
      column,
      as: ADDRESSES.has(column) ? ADDRESS : column,
    }));
    const others = [...new Set(referenced)]
      .filter((column) => !own.some((each) => each.as === column))
      .map((column) => ({ column, as: column }));
    kept.set(relation, {
      relation,
      name: newName(relation.name, names),
      columns: [...own, ...others],
      identity: own,
    });
  }
  return kept;
}

/** Short enough for every engine, and no other one's. */
function newName(table: string, names: Set<string>): string {
  const base = `pgc_${table.slice(0, 30)}`;
  let name = base;
  for (let n = 2; names.has(name.toLowerCase()); n++) name = `${base}_t${n}`;
  names.add(name.toLowerCase());
  return name;
}
