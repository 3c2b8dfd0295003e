import { expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import type { KeySpec, SchemaSpec, TableSpec } from '../schema-spec.js';
import type { WriteSpec } from './write-spec.js';

const table: TableSpec = {
  ...{ idType: 'int4', identity: 'id', kind: 'plain', levels: 1, inherits: null, odd: 0, elsewhere: false },
  ...{ gap: false, trigger: 'none', kept: 1, view: null },
  rows: [{ id: 1, code: null, pair: [1, 1], references: [0] }],
};
const key: KeySpec = {
  ...{ from: 1, to: 0, fromPart: null, toPart: 0, target: 0, action: 'SET NULL', onUpdate: 'NO ACTION' },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};
/** t1 references a partition of t0 by f0 and f1, which does nothing, and all of it by f2. */
const made: SchemaSpec = {
  tables: [{ ...table, kind: 'list' }, table],
  keys: [key, { ...key, action: 'NO ACTION' }, { ...key, toPart: null }],
  ...{ patterns: [], acyclic: false, mild: false, crowded: false, late: false },
};
const schema = makeSchema(made, true, true);
/** Changes t0, which is the first relation behind those that have keys. */
const spec: WriteSpec = {
  binary: { parameters: false, results: 'text' },
  ...{ form: 'update', relation: 9, help: 0, sets: 'referenced', where: 'all', value: 1 },
  ...{ returning: 'none', alias: false, only: false, variant: 0 },
  ...{ manner: 'simple', declared: false, transaction: 'none' },
  rows: [{ id: 7, code: null, pair: [1, 5], references: [0], value: 1 }],
};

function run(answer: string, left: readonly string[] = []): Run {
  return { answers: [[answer]], left, orphans: [], refused: undefined };
}
const moved = run('C UPDATE 1.', ['D a row that has moved']);
const referenced = (key: string, code = '23503') =>
  run(`E C=${code} D=… M=update or delete on table "t0_l1" violates n=${key} s=a t=t1`);

function known(native: Run, proxied: Run, given: Partial<WriteSpec> = {}, on = schema) {
  return knownOfWrites(native, proxied, 0, on, { ...spec, ...given });
}

test('a row that leaves a partition under an overridden key may be refused by the server', () => {
  expect(known(moved, referenced('f0_on_set_null'))).toBe('left partition');
  expect(known(referenced('f1_on_no_action'), referenced('f0_on_set_null'))).toBe('left partition');
});

test('and not under a key that natively does the same, or references all partitions, or is not broken', () => {
  expect(known(moved, referenced('f1_on_no_action'))).toBeUndefined();
  expect(known(moved, referenced('f2_on_set_null'))).toBeUndefined();
  expect(known(referenced('f0_on_set_null'), referenced('f0_on_set_null'))).toBeUndefined();
  expect(known(moved, run('C UPDATE 1.'))).toBeUndefined();
  const missing = 'E C=23503 D=… M=insert or update on table "t1" violates n=f0_on_set_null s=a t=t1';
  expect(known(moved, run(missing))).toBeUndefined();
});

test('and not where nobody enforces the key, or the row stays, or another table is changed', () => {
  expect(known(moved, referenced('f0'), {}, makeSchema(made, false, true))).toBeUndefined();
  expect(known(moved, referenced('f0_on_set_null'), { sets: 'note' })).toBeUndefined();
  expect(known(moved, referenced('f0_on_set_null'), { relation: 0 })).toBeUndefined();
});
