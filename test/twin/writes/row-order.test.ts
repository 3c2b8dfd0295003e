import { expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import type { KeySpec, TableSpec } from '../schema-spec.js';
import type { WriteSpec } from './write-spec.js';

const table: TableSpec = {
  ...{ idType: 'int4', identity: 'id', kind: 'plain', levels: 1, inherits: null, odd: 0, elsewhere: false },
  ...{ gap: false, trigger: 'none', kept: 1, view: null },
  rows: [{ id: 1, code: null, pair: [1, 1], references: [0] }],
};
const key: KeySpec = {
  ...{ from: 1, to: 0, fromPart: null, toPart: null, target: 0, action: 'SET NULL', onUpdate: 'NO ACTION' },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};
const schemaOf = (...keys: readonly KeySpec[]) =>
  makeSchema(
    {
      ...{ tables: [table, table], keys },
      ...{ patterns: [], acyclic: false, mild: false, crowded: false, late: false },
    },
    false,
    true,
  );
/** Writes t1. */
const spec: WriteSpec = {
  binary: { parameters: false, results: 'text' },
  ...{ form: 'delete, then write', relation: 0, help: 0, sets: 'note', where: 'all', value: 1 },
  ...{ returning: 'all', alias: false, only: false, variant: 6 },
  ...{ manner: 'simple', declared: false, transaction: 'none' },
  rows: [{ id: 7, code: null, pair: [1, 5], references: [0], value: 1 }],
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

test('behind a DELETE, rows that two SET keys have changed may be returned in another order', () => {
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
