import { expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import type { KeySpec } from '../schema-spec.js';
import { plainKey, plainSchema, plainTable, plainWrite } from './plain-specs.js';
import type { WriteSpec } from './write-spec.js';

const key: KeySpec = { ...plainKey, action: 'SET NULL' };
const schemaOf = (...keys: readonly KeySpec[]) =>
  makeSchema(
    {
      ...{ tables: [plainTable, plainTable], keys },
      ...plainSchema,
    },
    false,
    true,
  );
/** Writes t1. */
const spec: WriteSpec = {
  ...plainWrite,
  ...{ form: 'delete, then write', sets: 'note', returning: 'all', variant: 6 },
};

function run(rows: readonly string[], deleted = 1, left: readonly string[] = []): Run {
  return {
    answers: [[`C DELETE ${deleted}.`], [...rows, 'C UPDATE 2.']],
    left,
    orphans: [],
    refused: undefined,
  };
}

function known(native: Run, proxied: Run, given: Partial<WriteSpec> = {}, schema = schemaOf(key, key)) {
  return knownOfWrites(native, proxied, 1, schema, { ...spec, ...given });
}
const [one, other] = [
  ['D 1', 'D 2'],
  ['D 2', 'D 1'],
];

test('after a DELETE, rows that two SET keys have changed may be returned in another order', () => {
  expect(known(run(one), run(other))).toBe('row order');
});

test('and not other rows, nor where other ones are left, or none was deleted, or by one key, or in another form', () => {
  expect(known(run(one), run(['D 2', 'D 3']))).toBeUndefined();
  expect(known(run(one), run(['D 1', 'D 1']))).toBeUndefined();
  expect(known(run(one), run(other, 1, ['D a row']))).toBeUndefined();
  expect(known(run(one, 0), run(other, 0))).toBeUndefined();
  expect(known(run(one), run(other), {}, schemaOf(key))).toBeUndefined();
  expect(known(run(one), run(other), {}, schemaOf(key, { ...key, action: 'CASCADE' }))).toBeUndefined();
  expect(known(run(one), run(other), { form: 'update' })).toBeUndefined();
});
