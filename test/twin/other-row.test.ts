import { expect, test } from 'vitest';
import { makeSchema } from './keys.js';
import { knownDifference } from './known.js';
import type { Run } from './run.js';
import type { KeySpec, TableSpec } from './schema-spec.js';

const row = (id: number, ...references: (number | null)[]) => ({
  ...{ id, code: null, references },
  pair: [1, id] as [number, number],
});
const table: TableSpec = {
  ...{ idType: 'int4', identity: 'id', kind: 'plain', levels: 1, inherits: null, odd: 0, elsewhere: false },
  ...{ gap: false, trigger: 'none', kept: 1, view: null, rows: [] },
};
const key: KeySpec = {
  ...{ from: 1, to: 0, fromPart: null, toPart: null, target: 0, action: 'SET NULL', onUpdate: 'NO ACTION' },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};

/** Of three tables the second references the first, by a SET NULL key, and the third references all rows of the second. */
function known(
  native: Run,
  proxied: Run,
  { set = [0, 1] as (number | null)[], action = 'SET NULL' as KeySpec['action'], referenced = [0, 1] } = {},
) {
  const tables: TableSpec[] = [
    { ...table, rows: [row(1), row(2)] },
    { ...table, rows: set.map((parent, i) => row(i + 1, parent)) },
    { ...table, rows: referenced.map((parent, i) => row(i + 1, parent)) },
  ];
  const keys = [
    { ...key, action },
    { ...key, from: 2, to: 1, action: 'RESTRICT' as const },
  ];
  const options = { patterns: [], acyclic: true, mild: false, crowded: false, late: false };
  const schema = makeSchema({ tables, keys, ...options }, false);
  return knownDifference(native, proxied, 0, schema);
}

/** An error that names a row, after a DELETE of the same string. */
function named(
  id: number,
  { tag = 'DELETE 2', name = 'f1', code = '23001', left = [] as string[] } = {},
): Run {
  const detail = `Key (id)=(${id}) is referenced from table "t2".`;
  const error = `E C=${code} D=${detail} M=update or delete on table "t1" S=ERROR V=ERROR n=${name} s=a t=t2`;
  return { answers: [[`C ${tag}.`, error, 'Z I']], left, orphans: [], refused: undefined };
}

test('of two rows that an earlier DELETE has set, either may be the one that breaks a rule', () => {
  expect(known(named(1), named(2))).toBe('other row');
});

test('only where both break it, and a SET key has changed both', () => {
  expect(known(named(1), named(3))).toBeUndefined();
  expect(known(named(1), named(2), { referenced: [0] })).toBeUndefined();
  expect(known(named(1), named(2), { set: [0, null] })).toBeUndefined();
  expect(known(named(1), named(2), { action: 'NO ACTION' })).toBeUndefined();
});

test('and only after a DELETE that took something, with nothing else that differs', () => {
  const none = { tag: 'DELETE 0' };
  expect(known(named(1, none), named(2, none))).toBeUndefined();
  expect(known(named(1), named(2, { name: 'f2' }))).toBeUndefined();
  expect(known(named(1), named(2, { code: '23503' }))).toBeUndefined();
  expect(known(named(1), named(2, { left: ['D a row'] }))).toBeUndefined();
  expect(known(named(1), named(2, { tag: 'DELETE 1' }))).toBeUndefined();
});
