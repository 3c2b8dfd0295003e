/** The tables that the definitions of a schema file leave behind, in their order. Pure. */
import type { Lexis } from '../sql/dialects/dialect.js';
import type { Definition, FileColumn, FileKey, FileName, Parts } from './definition.js';

export interface FileTable {
  readonly schema: string;
  readonly name: string;
  readonly line: number;
  readonly columns: readonly FileColumn[];
  /** Not all of its columns are known. */
  readonly isOpen: boolean;
  readonly primaryKey: readonly string[];
  readonly withoutRowid: boolean;
  readonly keys: readonly TableKey[];
  readonly parents: readonly FileTable[];
  readonly isPartition: boolean;
}

/** A key whose tables and columns are there, spelled as where they are made. */
export interface TableKey extends Omit<FileKey, 'name' | 'referenced'> {
  readonly name: string;
  readonly table: FileTable;
}

/** What a file names and does not have. */
export interface FileProblem {
  readonly line: number;
  readonly text: string;
}

interface Draft {
  schema: string;
  name: string;
  line: number;
  columns: FileColumn[];
  isOpen: boolean;
  primaryKey: readonly string[];
  withoutRowid: boolean;
  keys: FileKey[];
  parents: Draft[];
  isPartition: boolean;
}

/**
 * Applies definitions one after the other.
 * @param schema of the names that have none
 */
export function tablesOf(
  definitions: readonly Definition[],
  lexis: Lexis,
  schema: string,
): { readonly tables: readonly FileTable[]; readonly problems: readonly FileProblem[] } {
  const drafts = new Drafts(lexis, schema);
  for (const each of definitions) drafts.apply(each);
  return drafts.finished();
}

class Drafts {
  readonly #same: (name: string) => string;
  readonly #tables = new Map<string, Draft>();
  readonly #problems: FileProblem[] = [];
  /** Of names without a schema: USE changes it. */
  #schema: string;
  readonly #usual: string;

  constructor({ ignoresCase }: Lexis, schema: string) {
    this.#same = ignoresCase ? (name) => name.toLowerCase() : (name) => name;
    this.#schema = schema;
    this.#usual = schema;
  }

  apply(definition: Definition): void {
    switch (definition.kind) {
      case 'use':
        this.#schema = definition.schema;
        return;
      case 'create':
        this.#create(definition);
        return;
      case 'alter':
        this.#alter(definition);
        return;
      case 'drop':
        for (const table of definition.tables) this.#tables.delete(this.#address(table));
        return;
      case 'rename':
        this.#rename(definition);
        return;
      default:
        definition satisfies never;
    }
  }

  #create(definition: Definition & { readonly kind: 'create' }): void {
    const { table, line, ifNotThere, isOpen, withoutRowid, isPartition, parents } = definition;
    const address = this.#address(table);
    if (ifNotThere && this.#tables.has(address)) return;
    const above = parents.flatMap((parent) => this.#find(parent, line) ?? []);
    const draft: Draft = {
      schema: table.schema ?? this.#schema,
      name: table.name,
      line,
      columns: above.flatMap(({ columns }) => columns),
      isOpen: isOpen || above.some((parent) => parent.isOpen),
      primaryKey: [],
      withoutRowid,
      keys: [],
      parents: above,
      isPartition,
    };
    this.#tables.set(address, draft);
    this.#add(draft, definition);
  }

  #alter(definition: Definition & { readonly kind: 'alter' }): void {
    const { table, line, dropped, changed, partitions } = definition;
    // Dumps also alter sequences and views so, of which they change nothing that matters here.
    const isEmpty = [definition.columns, definition.keys, partitions].every(({ length }) => length === 0);
    if (isEmpty && !definition.primaryKey && !this.#tables.has(this.#address(table))) return;
    const draft = this.#find(table, line);
    if (!draft) return;
    const isGone = (name: string | undefined) =>
      name !== undefined && dropped.some((each) => this.#same(each) === this.#same(name));
    draft.columns = draft.columns.filter(({ name }) => !isGone(name));
    draft.keys = draft.keys.filter(({ name, columns }) => !isGone(name) && !columns.some(isGone));
    for (const change of changed) {
      const isIt = ({ name }: FileColumn) => this.#same(name) === this.#same(change.name);
      draft.columns = draft.columns.map((column) =>
        isIt(column) ? { ...column, ...change, name: column.name } : column,
      );
    }
    this.#add(draft, definition);
    for (const partition of partitions) {
      const part = this.#find(partition, line);
      if (!part) continue;
      part.parents = [...part.parents, draft];
      part.isPartition = true;
    }
  }

  #add(draft: Draft, { columns, primaryKey, keys }: Parts): void {
    for (const column of columns) {
      const at = draft.columns.findIndex(({ name }) => this.#same(name) === this.#same(column.name));
      if (at < 0) draft.columns.push(column);
      else draft.columns[at] = column;
    }
    if (primaryKey) draft.primaryKey = primaryKey;
    // A schema is looked for where the statement stands: after another USE the name means another table.
    draft.keys.push(...keys.map((key) => ({ ...key, referenced: this.#whole(key.referenced, draft) })));
  }

  #rename({ table, to, column, line }: Definition & { readonly kind: 'rename' }): void {
    const draft = this.#find(table, line);
    if (!draft) return;
    if (column === undefined) {
      this.#tables.delete(this.#address(table));
      for (const each of this.#tables.values())
        each.keys = each.keys.map((key) => this.#renamedIn(key, draft, to));
      draft.keys = draft.keys.map((key) => this.#renamedIn(key, draft, to));
      draft.name = to;
      this.#tables.set(this.#address({ schema: draft.schema, name: to }), draft);
      return;
    }
    const other = (name: string) => (this.#same(name) === this.#same(column) ? to : name);
    draft.columns = draft.columns.map((each) => ({ ...each, name: other(each.name) }));
    draft.primaryKey = draft.primaryKey.map(other);
    draft.keys = draft.keys.map((key) => ({ ...key, columns: key.columns.map(other) }));
    for (const each of this.#tables.values())
      each.keys = each.keys.map((key) =>
        this.#address(key.referenced) === this.#address(draft)
          ? { ...key, referencedColumns: key.referencedColumns.map(other) }
          : key,
      );
  }

  #renamedIn(key: FileKey, draft: Draft, to: string): FileKey {
    const isIt = this.#address(key.referenced) === this.#address(draft);
    return isIt ? { ...key, referenced: { schema: draft.schema, name: to } } : key;
  }

  finished(): { readonly tables: readonly FileTable[]; readonly problems: readonly FileProblem[] } {
    const made = new Map<Draft, FileTable & { keys: TableKey[]; parents: FileTable[] }>();
    for (const draft of this.#tables.values()) {
      const primaryKey = draft.primaryKey.flatMap((name) => this.#column(draft, name, draft.line) ?? []);
      made.set(draft, { ...draft, primaryKey, keys: [], parents: [] });
    }
    for (const [draft, table] of made) {
      for (const parent of draft.parents) table.parents.push(...[made.get(parent) ?? []].flat());
      for (const key of draft.keys) {
        const other = this.#find(key.referenced, key.line);
        const referenced = other && made.get(other);
        if (other && referenced) table.keys.push(...this.#key(key, draft, other, referenced));
        else for (const column of key.columns) this.#column(draft, column, key.line);
      }
    }
    return { tables: [...made.values()], problems: this.#problems.sort((a, b) => a.line - b.line) };
  }

  #key(key: FileKey, from: Draft, to: Draft, table: FileTable): readonly TableKey[] {
    const { line } = key;
    const wanted = key.referencedColumns.length > 0 ? key.referencedColumns : to.primaryKey;
    if (wanted.length === 0)
      return this.#problem(line, `a key references ${to.name} without columns, which has no primary key`);
    const spelled = (draft: Draft, names: readonly string[]) =>
      names.flatMap((name) => this.#column(draft, name, line) ?? []);
    const columns = spelled(from, key.columns);
    const referencedColumns = spelled(to, wanted);
    if (columns.length < key.columns.length || referencedColumns.length < wanted.length) return [];
    if (columns.length !== referencedColumns.length)
      return this.#problem(
        line,
        `a key of ${from.name} has ${columns.length} columns and references ${referencedColumns.length} of ${to.name}`,
      );
    const setColumns = key.setColumns && spelled(from, key.setColumns);
    // As PostgreSQL names a key without a name (ChooseForeignKeyConstraintNameAddition).
    const name = key.name ?? `${from.name}_${columns.join('_')}_fkey`;
    return [{ ...key, name, columns, referencedColumns, setColumns, table }];
  }

  #column(draft: Draft, wanted: string, line: number): string | undefined {
    const found =
      draft.columns.find(({ name }) => name === wanted) ??
      draft.columns.find(({ name }) => this.#same(name) === this.#same(wanted));
    if (found || draft.isOpen) return found?.name ?? wanted;
    this.#problem(line, `there is no column ${wanted} in table ${draft.name}`);
    return undefined;
  }

  #find(table: FileName, line: number): Draft | undefined {
    const found = this.#tables.get(this.#address(table));
    const { schema, name } = table;
    const isUsual = schema === undefined || this.#same(schema) === this.#same(this.#usual);
    if (!found) this.#problem(line, `there is no table ${isUsual ? name : `${schema}.${name}`}`);
    return found;
  }

  #problem(line: number, text: string): readonly [] {
    const isKnown = this.#problems.some((each) => each.line === line && each.text === text);
    if (!isKnown) this.#problems.push({ line, text });
    return [];
  }

  /** A name without a schema in a key: that of the table which has the key. */
  #whole({ schema, name }: FileName, from: Draft): FileName {
    return { schema: schema ?? from.schema, name };
  }

  #address({ schema, name }: FileName): string {
    return `${this.#same(schema ?? this.#schema)}\0${this.#same(name)}`;
  }
}
