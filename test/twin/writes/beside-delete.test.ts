import { describe, expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfWrites } from '../known.js';
import type { Run } from '../run.js';
import type { SchemaSpec } from '../schema-spec.js';
import { plainKey, plainSchema, plainTable, plainWrite } from './plain-specs.js';
import type { WriteSpec } from './write-spec.js';

/** Its row references nothing. */
const table = { ...plainTable, rows: [{ id: 1, code: null, pair: [1, 1], references: [null] }] } as const;
/** t1, which is written, and t2 reference t0 by f0 and f1, t2 also by f2, which sets a default. */
const made: SchemaSpec = {
  tables: [table, table, { ...table, rows: [{ id: 1, code: null, pair: [1, 1], references: [null, null] }] }],
  keys: [
    plainKey,
    { ...plainKey, from: 2 },
    { ...plainKey, from: 2, action: 'SET DEFAULT', defaultValue: 4 },
  ],
  ...plainSchema,
};
const schema = makeSchema(made, false, true);
const enforced = makeSchema(made, true, true);
const spec: WriteSpec = { ...plainWrite, form: 'write beside a delete' };

function breaks(message: string, code: string, table: string, name?: string): Run {
  const named = name === undefined ? '' : ` n=${name}`;
  return {
    answers: [[`E C=${code} D=… M=${message}${named} s=a t=${table}`]],
    left: [],
    orphans: [],
    refused: undefined,
  };
}
const written = (table: string, key: string) =>
  breaks(`insert or update on table "${table}" violates`, '23503', table, key);
const referenced = (key: string) => breaks('update or delete on table "t0" violates', '23503', 't1', key);
const duplicate = breaks('duplicate key value', '23505', 't1');
const noNull = breaks('null value in column', '23502', 't2');

function known(native: Run, proxied: Run, given: Partial<WriteSpec> = {}, on = schema) {
  return knownOfWrites(native, proxied, 0, on, { ...spec, ...given });
}

describe('beside a DELETE', () => {
  test('what it breaks may be named in place of what is written, and the other way around', () => {
    expect(known(referenced('f1'), written('t1', 'f0'))).toBe('beside a delete');
    expect(known(written('t2', 'f2'), written('t1', 'f0'))).toBe('beside a delete');
    expect(known(written('t1', 'f0'), noNull)).toBe('beside a delete');
  });

  test('but a new key comes before what the DELETE breaks, unless the server raises that, and nothing comes before a constraint', () => {
    expect(known(written('t1', 'f0'), referenced('f1'))).toBeUndefined();
    expect(known(written('t1', 'f0'), written('t2', 'f2'))).toBeUndefined();
    expect(known(duplicate, referenced('f1'))).toBeUndefined();
    expect(known(referenced('f1'), duplicate)).toBeUndefined();
  });

  test('and a write whose keys nobody looks at may come after the DELETE', () => {
    const [native, proxied] = [duplicate, referenced('f1')];
    expect(known(native, proxied, { variant: 6, sets: 'note' })).toBe('beside a delete');
    expect(known(native, proxied, { variant: 6 })).toBeUndefined();
    expect(known(native, referenced('f1_on_cascade'), {}, enforced)).toBe('beside a delete');
  });

  test('as a MERGE of what is deleted by then', () => {
    const merge = { variant: 8 };
    const twice = { ...duplicate, answers: [['E C=21000 M=MERGE command cannot affect row a second time']] };
    expect(known(twice, referenced('f1_on_cascade'), merge, enforced)).toBe('beside a delete');
    expect(known(twice, referenced('f1'), merge)).toBeUndefined();
    expect(known(twice, written('t1', 'f0_on_cascade'), merge, enforced)).toBeUndefined();
    expect(known(twice, referenced('f1_on_cascade'), {}, enforced)).toBeUndefined();
  });

  test('and not two rules of the DELETE, two of what is written, nor one and the same', () => {
    expect(known(referenced('f1'), referenced('f0'))).toBeUndefined();
    expect(known(duplicate, written('t1', 'f0'))).toBeUndefined();
    expect(known(written('t1', 'f0'), written('t1', 'f0'))).toBeUndefined();
    expect(known(referenced('f1'), referenced('f1'))).toBeUndefined();
  });

  test('and not what other tables break, nor in another form, nor where other rows are left', () => {
    expect(known(referenced('f1'), written('t2', 'f1'))).toBeUndefined();
    const [native, proxied] = [referenced('f1'), written('t1', 'f0')];
    expect(known(native, proxied, { form: 'writes in one statement' })).toBeUndefined();
    expect(known(native, { ...proxied, left: ['D a row'] })).toBeUndefined();
    expect(known(native, { ...proxied, answers: [['C DELETE 1.']] })).toBeUndefined();
  });
});
