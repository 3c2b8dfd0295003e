import { describe, expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import type { KeySpec, TableSpec } from '../schema-spec.js';
import type { WriteSpec } from './write-spec.js';

const table: TableSpec = {
  ...{ idType: 'int4', identity: 'id', kind: 'plain', levels: 1, inherits: null, odd: 0, elsewhere: false },
  ...{ gap: false, trigger: 'none', kept: 1, view: null },
  rows: [{ id: 1, code: null, pair: [1, 1], references: [null] }],
};
const key: KeySpec = {
  ...{ from: 1, to: 0, fromPart: null, toPart: null, target: 0, action: 'CASCADE', onUpdate: 'NO ACTION' },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};
/** t1 and t2 reference t0 by f0 and f1; nobody has keys in t0. */
const schema = makeSchema(
  {
    ...{ tables: [table, table, table], keys: [key, { ...key, from: 2 }] },
    ...{ patterns: [], acyclic: false, mild: false, crowded: false, late: false },
  },
  false,
  true,
);
/** Of the relations that can be written, t2, as `help` is that of t1. */
const spec: WriteSpec = {
  binary: { parameters: false, results: 'text' },
  ...{ form: 'writes in one statement', relation: 3, help: 0, sets: 'key', where: 'all', value: 1 },
  ...{ returning: 'none', alias: false, only: false, variant: 0 },
  ...{ manner: 'simple', declared: false, transaction: 'none' },
  rows: [{ id: 7, code: null, pair: [1, 5], references: [0], value: 1 }],
};

function breaks(code: string, table: string, key?: string): Run {
  const name = key === undefined ? '' : ` n=${key}`;
  const message = key === undefined ? 'new row' : `insert or update on table "${table}" violates`;
  return {
    answers: [[`E C=${code} D=… M=${message}${name} s=a t=${table}`]],
    left: [],
    orphans: [],
    refused: undefined,
  };
}

function known(native: Run, proxied: Run, given: Partial<WriteSpec> = {}) {
  return knownOfWrites(native, proxied, 0, schema, { ...spec, ...given });
}

describe('where two parts of a WITH write', () => {
  test('the key of one may be named in place of what the other one breaks', () => {
    expect(known(breaks('23514', 't2'), breaks('23503', 't1', 'f0'))).toBe('other part');
    expect(known(breaks('23503', 't2', 'f1'), breaks('23503', 't1', 'f0'))).toBe('other part');
  });

  test('and not what the same part breaks, nor anything in place of a key', () => {
    expect(known(breaks('23514', 't1'), breaks('23503', 't1', 'f0'))).toBeUndefined();
    expect(known(breaks('23514', 't0'), breaks('23503', 't1', 'f0'))).toBeUndefined();
    expect(known(breaks('23503', 't1', 'f0'), breaks('23514', 't2'))).toBeUndefined();
    expect(known(breaks('23503', 't1', 'f0'), breaks('23503', 't1', 'f0'))).toBeUndefined();
  });

  test('and not where the statement writes at one place, or other rows are left', () => {
    const [native, proxied] = [breaks('23514', 't2'), breaks('23503', 't1', 'f0')];
    expect(known(native, proxied, { form: 'insert' })).toBeUndefined();
    expect(known(native, { ...proxied, left: ['D a row'] })).toBeUndefined();
  });
});
