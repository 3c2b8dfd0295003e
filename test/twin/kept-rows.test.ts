import { expect, test } from 'vitest';
import { makeSchema } from './keys.js';
import { knownOfOrdered } from './known.js';
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
  ...{ from: 1, to: 0, fromPart: null, toPart: null, target: 0, action: 'CASCADE', onUpdate: 'NO ACTION' },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};
const deletes: Run = { answers: [['C DELETE 0.']], left: [], refused: undefined };
const breaks = (value: number): Run => {
  const detail = `Key (id)=(${value}) is referenced from table "t2".`;
  const message = 'update or delete on table "t1" violates RESTRICT setting of foreign key constraint "f1"';
  return {
    answers: [[`E C=23001 D=${detail} M=${message} n=f1 s=a t=t2`]],
    left: [],
    refused: undefined,
  };
};

/** A trigger may keep row 1 of the first table; the second table cascades from it, and the third stops that by a rule. */
function known(native: Run, proxied: Run, trigger: TableSpec['trigger'] = 'keeps') {
  const tables: TableSpec[] = [
    { ...table, trigger, rows: [row(1), row(2)] },
    { ...table, rows: [row(1, 0), row(2, 1)] },
    { ...table, rows: [row(1, 0, 0), row(2, 1, 1)] },
  ];
  const keys = [key, { ...key, from: 2, to: 1, action: 'RESTRICT' as const }];
  const options = { patterns: [], acyclic: true, mild: false, crowded: false, late: false };
  return knownOfOrdered(native, proxied, 0, makeSchema({ tables, keys, ...options }, false));
}

test('in order a rule is asked before a trigger keeps the row, or the one that it goes with', () => {
  expect(known(deletes, breaks(1))).toBe('asked before');
});

test('and of a row that no trigger keeps, or where natively the same rule is broken, the difference is none that is known', () => {
  expect(known(deletes, breaks(2))).toBeUndefined();
  expect(known(deletes, breaks(1), 'none')).toBeUndefined();
  expect(known(breaks(2), breaks(1))).toBeUndefined();
  expect(known(deletes, deletes)).toBeUndefined();
});
