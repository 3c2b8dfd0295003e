/** What is generated of a statement that writes: numbers and words that write-forms.ts makes texts of. */
import fc from 'fast-check';
import { once, pick, place, value } from '../arbitraries.js';
import { type Sending, sending } from '../statement-spec.js';

export const WRITE_FORMS = [
  'insert',
  'insert rows',
  'insert select',
  'insert from a table',
  'default values',
  'upsert',
  'update',
  'update from',
  'merge writes',
  'several writes',
  'write, then delete',
  'delete, then write',
  'write in a with',
  'writes in one statement',
  'write beside a delete',
  'write explained',
  'write prepared in SQL',
  'copy in',
] as const;
export type WriteForm = (typeof WRITE_FORMS)[number];

/**
 * What a key's columns get: `none` is NULL, `default` the columns' defaults, `some` perhaps what does not exist, `sibling` what the
 * next row of the same statement has; a number is that of a row that there is.
 */
export type Reference = number | 'none' | 'default' | 'some' | 'sibling';

/** A new row. Its id is seldom one that there is. */
export interface NewRow {
  readonly id: number;
  readonly code: number | null;
  readonly pair: readonly [number, number];
  /** For each key in turn. */
  readonly references: readonly Reference[];
  /** Where a reference is to `some`. */
  readonly value: number;
}

/** What an UPDATE sets; `tenant` is the first of two columns that identify a row, which keys may have in common. */
const SETS = [
  'key',
  'two keys',
  'part of a key',
  'note',
  'by a query',
  'by another column',
  'default',
  'referenced',
  'tenant',
] as const;
export type Sets = (typeof SETS)[number];

/** Whether an UPDATE sets columns that keys may reference. */
export function setsReferenced({ sets }: Pick<WriteSpec, 'sets'>): boolean {
  return sets === 'referenced' || sets === 'tenant';
}

const LISTS = ['none', 'all', 'own', 'some', 'expressions', 'images', 'query', 'declared'] as const;
export type WriteList = (typeof LISTS)[number];

export interface WriteSpec extends Sending {
  readonly form: WriteForm;
  readonly relation: number;
  /** Which keys and tables stand in it. */
  readonly help: number;
  readonly rows: readonly NewRow[];
  readonly sets: Sets;
  readonly where: 'equals' | 'in' | 'all' | 'a' | 'nothing';
  readonly value: number;
  readonly returning: WriteList;
  readonly alias: boolean;
  readonly only: boolean;
}

const WRITES: ReadonlySet<string> = new Set(WRITE_FORMS);

export function isWrite<Other extends { readonly form: string }>(
  statement: Other | WriteSpec,
): statement is WriteSpec {
  return WRITES.has(statement.form);
}

const newRow: fc.Arbitrary<NewRow> = fc.record({
  id: pick([3, 7], [3, 8], [3, 9], [1, 1], [1, 2], [1, 4]),
  code: fc.option(fc.integer({ min: 5, max: 9 })),
  pair: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 9 })),
  references: fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.nat(5) },
      { weight: 3, arbitrary: pick<Reference>([2, 'none'], [1, 'default'], [2, 'some'], [1, 'sibling']) },
    ),
    { minLength: 1, maxLength: 6 },
  ),
  value,
});

/** @param referenced whether columns that keys reference are set too */
export function writeSpec(referenced: boolean): fc.Arbitrary<WriteSpec> {
  const setting = [
    [6, 'key'],
    [1, 'two keys'],
    [1, 'part of a key'],
    [1, 'note'],
    [1, 'by a query'],
    [1, 'by another column'],
    [1, 'default'],
  ] as const;
  return fc.record({
    form: pick<WriteForm>(
      [8, 'insert'],
      [6, 'insert rows'],
      [4, 'insert select'],
      [4, 'insert from a table'],
      [2, 'default values'],
      [6, 'upsert'],
      [12, 'update'],
      [4, 'update from'],
      [8, 'merge writes'],
      [4, 'several writes'],
      [4, 'write, then delete'],
      [4, 'delete, then write'],
      [2, 'write explained'],
      [4, 'write prepared in SQL'],
      [4, 'write in a with'],
      [8, 'writes in one statement'],
      [6, 'write beside a delete'],
      [5, 'copy in'],
    ),
    relation: place,
    help: place,
    rows: fc.array(newRow, { minLength: 1, maxLength: 4, size: 'max' }),
    sets: pick<Sets>(
      ...(referenced ? [...setting, [4, 'referenced'] as const, [2, 'tenant'] as const] : setting),
    ),
    where: pick([5, 'equals'], [3, 'in'], [3, 'all'], [2, 'a'], [1, 'nothing']),
    value,
    returning: pick<WriteList>([8, 'none'], ...LISTS.slice(1).map((each) => [1, each] as const)),
    alias: once(3),
    only: once(12),
    ...sending,
  });
}
