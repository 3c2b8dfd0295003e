/** From what was generated to tables and their partitions; keys come later. */
import { nameOf } from './names.js';
import type { Relation, Row, Table, Target } from './schema.js';
import type { RowSpec, TableSpec, View } from './schema-spec.js';
import { literal } from './values.js';

/** @param overridden the server enforces the keys too */
export function makeTables(specs: readonly TableSpec[], overridden: boolean): readonly Table[] {
  const tables: Table[] = [];
  specs.forEach((spec, place) => {
    // docs/differences.md: a trigger that keeps a child of an overridden key makes the server refuse the DELETE.
    const trigger = overridden && spec.trigger.startsWith('keeps') ? 'none' : spec.trigger;
    tables.push(makeTable({ ...spec, trigger }, place, tables));
  });
  return tables;
}

function makeTable(spec: TableSpec, place: number, earlier: readonly Table[]): Table {
  const heirs = earlier.filter(({ root }) => root.by === undefined);
  const inherits =
    spec.inherits === null || heirs.length === 0 ? undefined : heirs[spec.inherits % heirs.length];
  const partitioned = spec.kind !== 'plain' && !inherits;
  const byPair = spec.identity === 'pair';
  const idType = inherits?.idType ?? spec.idType;
  const idColumn = inherits?.idColumn ?? (spec.odd % 3 === 1 ? nameOf(spec.odd, 'id') : 'id');
  const unique = uniqueTargets(spec.identity, partitioned);
  const primary = spec.identity === 'id' || spec.identity === 'pair' ? spec.identity : undefined;
  const own = nameOf(spec.odd, `t${place}`);
  // Where it is in the second schema, it has the name of a table in the first if it can.
  const namesake = earlier.find(
    ({ root }) =>
      root.schema === 'a' &&
      !earlier.some((other) => other.root.schema === 'b' && other.root.name === root.name),
  );
  const root: { -readonly [K in keyof Relation]: Relation[K] } = {
    table: undefined as unknown as Table,
    schema: spec.elsewhere ? 'b' : 'a',
    name: spec.elsewhere ? (namesake?.root.name ?? own) : own,
    part: undefined,
    by: undefined,
    partitions: [],
    holds: () => true,
  };
  const table: Table = {
    place,
    root,
    idColumn,
    idType,
    primary,
    unique,
    inherits,
    gap: spec.gap && !inherits,
    trigger: spec.trigger,
    view: undefined,
    isNarrow: false,
    kept: spec.kept,
    keyColumns: [],
    rows: withoutDuplicates(spec.rows, unique),
  };
  root.table = table;
  if (partitioned) {
    const column = byPair ? 'a' : idColumn;
    partition(root, spec.kind, column, (row) => (byPair ? row.pair[0] : row.id), spec, place);
  }
  // docs/differences.md: a view of rows that nothing identifies is refused where more of them has to be known than it shows.
  if (spec.view !== null && primary !== undefined)
    table.view = { kind: spec.view, relation: viewOf(table, spec.view) };
  return table;
}

/** A view of a table: `renamed` and `stacked` have another name for the id. */
function viewOf(table: Table, kind: View): Relation {
  const idColumn = kind === 'renamed' || kind === 'stacked' ? 'the id' : table.idColumn;
  return {
    table: { ...table, idColumn, isNarrow: kind === 'narrow' },
    schema: 'a',
    name: `v${table.place}`,
    part: undefined,
    by: undefined,
    partitions: [],
    holds: (row) => !isOfSome(kind) || row.pair[0] === 1,
  };
}

/** Whether it shows only those rows of which the first of the pair is 1. */
export function isOfSome(kind: View): boolean {
  return kind === 'some' || kind === 'checked' || kind === 'stacked';
}

function uniqueTargets(identity: TableSpec['identity'], partitioned: boolean): readonly Target[] {
  if (identity === 'none') return [];
  if (partitioned) return [identity === 'pair' ? 'pair' : 'id'];
  return ['id', 'code', 'pair'];
}

/**
 * Two partitions and one for the rest, or two by hash; the first may be partitioned once more. They are made in the order
 * of their bounds. docs/differences.md: otherwise rows of several partitions that break a rule come in another order.
 */
function partition(
  root: { -readonly [K in keyof Relation]: Relation[K] },
  kind: TableSpec['kind'],
  column: string,
  keyOf: (row: Row) => number,
  { levels }: TableSpec,
  place: number,
): void {
  const { table } = root;
  const type = column === 'a' ? 'int4' : table.idType;
  const sql = (value: number) => literal(type, value);
  const by = `"${column.replaceAll('"', '""')}"`;
  const make = (name: string, bound: string, holds: ((row: Row) => boolean) | undefined) => {
    const part: Relation = {
      table,
      schema: root.schema,
      name: `t${place}_${name}`,
      part: { of: root, bound },
      by: undefined,
      partitions: [],
      holds,
    };
    root.partitions.push(part);
    return part as { -readonly [K in keyof Relation]: Relation[K] };
  };
  root.by = `${kind.toUpperCase()} (${by})`;
  if (kind === 'hash') {
    for (const remainder of [0, 1])
      make(`h${remainder}`, `FOR VALUES WITH (MODULUS 2, REMAINDER ${remainder})`, undefined);
  } else if (kind === 'list') {
    make('l1', `FOR VALUES IN (${sql(1)}, ${sql(3)})`, (row) => [1, 3].includes(keyOf(row)));
    make('l2', `FOR VALUES IN (${sql(2)})`, (row) => keyOf(row) === 2);
    make('rest', 'DEFAULT', (row) => keyOf(row) > 3);
  } else {
    make('r1', `FOR VALUES FROM (MINVALUE) TO (${sql(2)})`, (row) => keyOf(row) < 2);
    make('r2', `FOR VALUES FROM (${sql(2)}) TO (${sql(4)})`, (row) => [2, 3].includes(keyOf(row)));
    make('rest', 'DEFAULT', (row) => keyOf(row) > 3);
  }
  const [first] = root.partitions;
  if (levels === 2 && first) {
    const nested = first as { -readonly [K in keyof Relation]: Relation[K] };
    nested.by = `HASH (${by})`;
    for (const remainder of [0, 1])
      nested.partitions.push({
        ...first,
        name: `${first.name}_${remainder}`,
        part: { of: nested, bound: `FOR VALUES WITH (MODULUS 2, REMAINDER ${remainder})` },
        by: undefined,
        partitions: [],
        holds: undefined,
      });
  }
}

/** Rows whose unique values no earlier row has. */
function withoutDuplicates(rows: readonly RowSpec[], unique: readonly Target[]): Row[] {
  const same: Readonly<Record<Target, (one: RowSpec, other: RowSpec) => boolean>> = {
    id: (one, other) => one.id === other.id,
    code: (one, other) => one.code !== null && one.code === other.code,
    pair: (one, other) => one.pair.join() === other.pair.join(),
  };
  return rows
    .filter((row, i) => rows.slice(0, i).every((other) => !unique.some((target) => same[target](row, other))))
    .map(({ id, code, pair }) => ({ id, code, pair, references: new Map() }));
}
