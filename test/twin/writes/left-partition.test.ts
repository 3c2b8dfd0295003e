import { expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import type { KeySpec, SchemaSpec } from '../schema-spec.js';
import { plainKey, plainSchema, plainTable, plainWrite } from './plain-specs.js';
import type { WriteSpec } from './write-spec.js';

const key: KeySpec = { ...plainKey, toPart: 0, action: 'SET NULL' };
/** t1 references a partition of t0 by f0 and f1, which does nothing, and all of it by f2. */
const made: SchemaSpec = {
  tables: [{ ...plainTable, kind: 'list' }, plainTable],
  keys: [key, { ...key, action: 'NO ACTION' }, { ...key, toPart: null }],
  ...plainSchema,
};
const schema = makeSchema(made, true, true);
/** Changes t0, which is the first relation after those that have keys. */
const spec: WriteSpec = { ...plainWrite, form: 'update', relation: 9, sets: 'referenced' };

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
