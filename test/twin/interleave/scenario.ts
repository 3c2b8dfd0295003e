/** What is generated: a schema of a few small tables, and sessions whose steps are interleaved on it. */
import fc from 'fast-check';
import { once, pick } from '../arbitraries.js';

export type Action = 'CASCADE' | 'SET NULL' | 'SET DEFAULT' | 'RESTRICT' | 'NO ACTION';

/** A foreign key on a column of its own, `f0` or `f1`, to the column `id` of a table. */
export interface Key {
  readonly name: string;
  readonly from: number;
  readonly column: string;
  readonly to: number;
  readonly action: Action;
  /** The column's default. */
  readonly fallback: number | null;
  readonly indexed: boolean;
}

/** `id`, `v`, and a value for each of the table's keys. */
export type Row = readonly (number | null)[];

export interface Table {
  readonly keys: readonly Key[];
  readonly rows: readonly Row[];
}

export interface Schema {
  readonly tables: readonly Table[];
  readonly keys: readonly Key[];
}

/** Which rows a DELETE takes. `childless` asks another table. */
export type Where =
  | { readonly kind: 'ids'; readonly ids: readonly number[] }
  | { readonly kind: 'v' | 'childless'; readonly v: number }
  | { readonly kind: 'key'; readonly key: number; readonly value: number };

export type Strength = 'KEY SHARE' | 'SHARE' | 'NO KEY UPDATE' | 'UPDATE';

/** One statement. Tables, keys and values are numbers that are counted modulo what there is. */
export type Operation = { readonly table: number; readonly extended: boolean } & (
  | { readonly kind: 'delete'; readonly where: Where; readonly returning: boolean }
  | {
      readonly kind: 'insert';
      /** `rows`: two of them; `found`: of a parent that the statement itself finds. */
      readonly how: 'values' | 'rows' | 'found' | 'upsert' | 'merge';
      readonly id: number;
      readonly v: number;
      readonly references: readonly (number | null)[];
    }
  /** Gives a row another parent. */
  | { readonly kind: 'move'; readonly id: number; readonly key: number; readonly to: number | null }
  /** Gives a row another id, which others may reference. */
  | { readonly kind: 'rename'; readonly id: number; readonly to: number }
  | { readonly kind: 'touch'; readonly id: number; readonly v: number }
  | { readonly kind: 'lock'; readonly id: number; readonly strength: Strength }
  | { readonly kind: 'read' }
);

export interface Client {
  /** How its transaction ends; each statement is one of its own where there is `none`. */
  readonly transaction: 'none' | 'COMMIT' | 'ROLLBACK';
  readonly operations: readonly Operation[];
}

export interface Interleaving {
  /** Who writes a child locks its parent first, as enforced keys do. */
  readonly careful: boolean;
  readonly clients: readonly Client[];
  /** Whose turn it is, modulo the number of clients; who cannot go on gives way to the next who can. */
  readonly turns: readonly number[];
}

export interface Scenario {
  readonly schema: Schema;
  readonly interleavings: readonly Interleaving[];
}

/** Most get in each other's way. */
const id = pick([3, 1], [2, 2], [1, 3]);
const newId = pick([1, 2], [2, 3], [3, 4]);
const v = fc.integer({ min: 1, max: 2 });
const reference = fc.option(id, { freq: 6 });
const place = fc.nat(59);

const tableSpec = fc.record({
  keys: fc.array(
    fc.record({
      to: place,
      anywhere: once(8),
      action: pick<Action>(
        [7, 'CASCADE'],
        [2, 'SET NULL'],
        [1, 'SET DEFAULT'],
        [1, 'RESTRICT'],
        [1, 'NO ACTION'],
      ),
      fallback: fc.option(id, { freq: 2 }),
      indexed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  rows: fc.uniqueArray(fc.record({ id, v, references: fc.tuple(reference, reference) }), {
    minLength: 2,
    maxLength: 3,
    selector: ({ id }) => id,
  }),
});

/** Tables reference those before them, and sometimes any. A reference to a row that is not there is null. */
const schema: fc.Arbitrary<Schema> = fc
  .array(tableSpec, { minLength: 2, maxLength: 4, size: 'max' })
  .map((specs) => {
    const has = (table: number, id: number | null) =>
      id !== null && (specs[table]?.rows.some((row) => row.id === id) ?? false);
    const tables = specs.map(({ keys, rows }, from): Table => {
      const made = keys.flatMap(({ to, anywhere, action, fallback, indexed }, i): Key[] => {
        if (from === 0 && !anywhere) return [];
        // One row that is set and deleted differs without anybody else.
        if (keys.some((other) => other.action.startsWith('SET') !== action.startsWith('SET') && i > 0))
          return [];
        const name = `k${from}${i}_on_${action.toLowerCase().replace(' ', '_')}`;
        const table = anywhere ? to % specs.length : to % from;
        return [{ name, from, column: `f${i}`, to: table, action, fallback, indexed }];
      });
      const value = (references: readonly (number | null)[], key: Key) => {
        const given = references[Number(key.column.slice(1))] ?? null;
        return has(key.to, given) ? given : null;
      };
      return {
        keys: made,
        rows: rows.map((row) => [row.id, row.v, ...made.map((key) => value(row.references, key))]),
      };
    });
    return { tables, keys: tables.flatMap(({ keys }) => keys) };
  });

const common = { table: place, extended: fc.boolean() };
const kind = <K extends string>(name: K) => fc.constant(name);
const where: fc.Arbitrary<Where> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind('ids'), ids: fc.array(id, { minLength: 1, maxLength: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('v'), v }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('childless'), v }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('key'), key: place, value: id }) },
);
const strength = pick<Strength>([3, 'KEY SHARE'], [1, 'SHARE'], [1, 'NO KEY UPDATE'], [1, 'UPDATE']);
type Insert = Extract<Operation, { readonly kind: 'insert' }>;

/** @param guarded new keys are looked at: then they come in more forms, and no id changes that others may reference */
function operationOf(guarded: boolean): fc.Arbitrary<Operation> {
  const how = guarded
    ? pick<Insert['how']>([4, 'values'], [1, 'rows'], [2, 'found'], [2, 'upsert'], [2, 'merge'])
    : fc.constant<Insert['how']>('values');
  const deletion = fc.record({
    ...common,
    table: pick([3, 0], [1, 1], [1, 2], [1, 3]),
    kind: kind('delete'),
    where,
    returning: once(3),
  });
  const insert = fc.record({
    ...common,
    kind: kind('insert'),
    how,
    id: newId,
    v,
    references: fc.tuple(reference, reference),
  });
  const move = fc.record({ ...common, kind: kind('move'), id, key: place, to: reference });
  const rename = fc.record({ ...common, kind: kind('rename'), id, to: newId });
  return fc.oneof(
    { weight: 7, arbitrary: deletion },
    { weight: guarded ? 7 : 5, arbitrary: insert },
    { weight: guarded ? 4 : 3, arbitrary: move },
    { weight: 1, arbitrary: rename },
    { weight: 2, arbitrary: fc.record({ ...common, kind: kind('touch'), id, v }) },
    { weight: 2, arbitrary: fc.record({ ...common, kind: kind('lock'), id, strength }) },
    { weight: 1, arbitrary: fc.record({ ...common, kind: kind('read') }) },
  );
}

function interleavingOf(guarded: boolean): fc.Arbitrary<Interleaving> {
  const client: fc.Arbitrary<Client> = fc.record({
    transaction: pick<Client['transaction']>([2, 'none'], [4, 'COMMIT'], [1, 'ROLLBACK']),
    operations: fc.array(operationOf(guarded), { minLength: 1, maxLength: 3, size: 'max' }),
  });
  return fc.record({
    careful: guarded ? fc.constant(false) : fc.boolean(),
    clients: fc.array(client, { minLength: 2, maxLength: 3, size: 'max' }),
    turns: fc.array(fc.nat(5), { minLength: 15, maxLength: 15 }),
  });
}

/**
 * @param interleavings how many are tried on each schema
 * @param guarded new keys are looked at by whoever performs the keys
 */
export function scenarios(interleavings: number, guarded: boolean): fc.Arbitrary<Scenario> {
  return fc.record({
    schema,
    interleavings: fc.array(interleavingOf(guarded), {
      minLength: interleavings,
      maxLength: interleavings,
      size: 'max',
    }),
  });
}
