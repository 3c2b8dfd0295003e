import { describe, expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import { plainKey, plainSchema, plainTable, plainWrite } from './plain-specs.js';
import type { WriteSpec } from './write-spec.js';

/** Its row references nothing. */
const table = { ...plainTable, rows: [{ id: 1, code: null, pair: [1, 1], references: [null] }] } as const;
/** t1 and t2 reference t0 by f0 and f1; nobody has keys in t0. */
const schema = makeSchema(
  {
    ...{ tables: [table, table, table], keys: [plainKey, { ...plainKey, from: 2 }] },
    ...plainSchema,
  },
  false,
  true,
);
/** Of the relations that can be written, t2, as `help` is that of t1. */
const spec: WriteSpec = { ...plainWrite, form: 'writes in one statement', relation: 3 };

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
