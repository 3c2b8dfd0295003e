/** What is generated of a schema: numbers and words that schema.ts makes tables of. Everything fits to everything. */
import fc from 'fast-check';
import { once, pick, place, value } from './arbitraries.js';
import { PATTERNS, type Pattern, WRITTEN_PATTERNS } from './patterns.js';
import { ID_TYPES, type IdType } from './values.js';

/** ON DELETE and ON UPDATE. */
export type Action = 'CASCADE' | 'SET NULL' | 'SET DEFAULT' | 'RESTRICT' | 'NO ACTION';

export interface RowSpec {
  readonly id: number;
  readonly code: number | null;
  readonly pair: readonly [number, number];
  /** For each key in turn which of the referenced rows it takes; none for null. */
  readonly references: readonly (number | null)[];
}

/** `deletes`: for each deleted row, those of a table beside that tell of it. */
export type Trigger = 'none' | 'keeps' | 'keeps from changes' | 'logs' | 'deletes';

/**
 * What a view of a table shows: all of it, some of its rows, or under other names. `checked` takes no rows that it does not show, and
 * `stacked` none that the view does not show which it is one of; `invoker` has the rights of who asks; `narrow` leaves a key's column out.
 */
export type View = 'all' | 'some' | 'renamed' | 'checked' | 'stacked' | 'invoker' | 'narrow';

export interface TableSpec {
  readonly idType: IdType;
  /** What its primary key is on. `nothing` has unique keys still, `none` not even these. */
  readonly identity: 'id' | 'pair' | 'nothing' | 'none';
  readonly kind: 'plain' | 'list' | 'range' | 'hash';
  /** Its first partition is partitioned again. */
  readonly levels: 1 | 2;
  readonly inherits: number | null;
  /** Which of the odd names it has. */
  readonly odd: number;
  /** It is in the second schema, where it may have the name of one in the first. */
  readonly elsewhere: boolean;
  /** A column before the others was dropped. */
  readonly gap: boolean;
  readonly trigger: Trigger;
  readonly kept: number;
  readonly view: View | null;
  readonly rows: readonly RowSpec[];
}

export interface KeySpec {
  readonly from: number;
  readonly to: number;
  /** It is declared on, or references, a partition. */
  readonly fromPart: number | null;
  readonly toPart: number | null;
  readonly target: number;
  readonly action: Action;
  readonly onUpdate: Action;
  /** SET NULL and SET DEFAULT of the second column only. */
  readonly subset: boolean;
  readonly notNull: boolean;
  readonly indexed: boolean;
  /** What SET DEFAULT sets. */
  readonly defaultValue: number | null;
  /** 0 is the referenced column's own type. */
  readonly otherType: number;
  readonly full: boolean;
  readonly deferrable: boolean;
  /** It uses columns that the table has anyway: its id, its code, or the first of the pair. */
  readonly own: boolean;
  /** Its first column is one that an earlier key has made: which, of those that fit. */
  readonly shared: number | 'newest' | null;
}

export interface SchemaSpec {
  readonly tables: readonly TableSpec[];
  readonly keys: readonly KeySpec[];
  readonly patterns: readonly Pattern[];
  /** Tables reference only those before them. */
  readonly acyclic: boolean;
  /** Keys that stop a DELETE are rare. */
  readonly mild: boolean;
  /** Keys share columns where they can. */
  readonly crowded: boolean;
  /** What keys check may be checked at COMMIT. */
  readonly late: boolean;
}

const row: fc.Arbitrary<RowSpec> = fc.record({
  id: value,
  code: fc.option(value),
  pair: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 4 })),
  references: fc.array(fc.option(fc.nat(5), { freq: 8 }), { minLength: 1, maxLength: 6 }),
});

const tableWith = (view: fc.Arbitrary<View | null>): fc.Arbitrary<TableSpec> =>
  fc.record({
    idType: pick([4, 'int4'], ...ID_TYPES.map((type) => [2, type] as const)),
    identity: pick([6, 'id'], [2, 'pair'], [2, 'nothing'], [1, 'none']),
    kind: pick([9, 'plain'], [1, 'list'], [1, 'range'], [1, 'hash']),
    levels: pick([2, 1], [1, 2]),
    inherits: pick<number | null>([9, null], [1, 0], [1, 1], [1, 2]),
    odd: pick([6, 0], ...Array.from({ length: 11 }, (_, i) => [1, i + 1] as const)),
    elsewhere: once(8),
    gap: once(6),
    trigger: pick([12, 'none'], [1, 'keeps'], [1, 'keeps from changes'], [2, 'logs'], [1, 'deletes']),
    kept: value,
    view,
    rows: fc.array(row, { minLength: 1, maxLength: 10, size: 'max' }),
  });

const table = tableWith(pick<View | null>([4, null], [1, 'all'], [1, 'some'], [1, 'renamed']));
const writtenTable = tableWith(
  pick<View | null>(
    [6, null],
    ...(['all', 'some', 'renamed', 'checked', 'stacked', 'invoker', 'narrow'] as const).map(
      (each) => [1, each] as const,
    ),
  ),
);

function keyWith(action: fc.Arbitrary<Action>): fc.Arbitrary<KeySpec> {
  return fc.record({
    from: place,
    to: place,
    fromPart: fc.option(fc.nat(2), { freq: 2 }),
    toPart: fc.option(fc.nat(2), { freq: 2 }),
    target: pick([2, 0], [1, 1], [2, 2]),
    action,
    onUpdate: pick([4, 'NO ACTION'], [2, 'CASCADE'], [1, 'SET NULL'], [1, 'SET DEFAULT'], [1, 'RESTRICT']),
    subset: fc.boolean(),
    notNull: once(8),
    indexed: fc.boolean(),
    defaultValue: fc.option(value, { freq: 3 }),
    otherType: pick([2, 0], [1, 1], [1, 2]),
    full: once(6),
    deferrable: once(6),
    own: once(6),
    shared: fc.option(fc.nat(5), { freq: 3 }),
  });
}

function patternWith(key: fc.Arbitrary<KeySpec>, kinds: readonly Pattern['kind'][]): fc.Arbitrary<Pattern> {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    key,
    places: fc.tuple(place, place, place),
    action: pick([2, 'SET NULL'], [1, 'SET DEFAULT'], [1, 'CASCADE']),
  });
}

function schemaWith(
  key: fc.Arbitrary<KeySpec>,
  patterns: fc.Arbitrary<readonly Pattern[]>,
  spec = table,
): fc.Arbitrary<SchemaSpec> {
  return fc.record({
    tables: fc.oneof(
      { weight: 3, arbitrary: fc.array(spec, { minLength: 2, maxLength: 5, size: 'max' }) },
      { weight: 1, arbitrary: fc.array(spec, { minLength: 2, maxLength: 12, size: 'max' }) },
    ),
    keys: fc.oneof(
      { weight: 3, arbitrary: fc.array(key, { minLength: 1, maxLength: 7, size: 'max' }) },
      { weight: 1, arbitrary: fc.array(key, { minLength: 1, maxLength: 14, size: 'max' }) },
    ),
    patterns,
    acyclic: once(4),
    mild: fc.boolean(),
    crowded: once(3),
    late: once(6),
  });
}

/** @param times how much more often there is none */
function somePatterns(
  key: fc.Arbitrary<KeySpec>,
  times: number,
  kinds: readonly Pattern['kind'][] = PATTERNS,
): fc.Arbitrary<readonly Pattern[]> {
  const none = fc.constant<readonly Pattern[]>([]);
  const some = fc.array(patternWith(key, kinds), { minLength: 1, maxLength: 2, size: 'max' });
  return fc.oneof(...Array.from({ length: times }, () => none), some);
}

const anyKey = keyWith(
  pick<Action>([6, 'CASCADE'], [2, 'SET NULL'], [2, 'SET DEFAULT'], [1, 'RESTRICT'], [1, 'NO ACTION']),
);

/** @param isWritten whether rows are written into it, and not only deleted */
export const schemaSpec = (isWritten: boolean): fc.Arbitrary<SchemaSpec> =>
  schemaWith(
    anyKey,
    somePatterns(anyKey, 1, isWritten ? WRITTEN_PATTERNS : PATTERNS),
    isWritten ? writtenTable : table,
  );

/** SET DEFAULT is refused, and so are keys whose order decides what is done: both are seldom. */
const keyForBatches = keyWith(
  pick<Action>([24, 'CASCADE'], [12, 'SET NULL'], [1, 'SET DEFAULT'], [2, 'RESTRICT'], [2, 'NO ACTION']),
);

export const schemaForBatches: fc.Arbitrary<SchemaSpec> = schemaWith(
  keyForBatches,
  somePatterns(keyForBatches, 4),
);
