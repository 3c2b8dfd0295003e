import { describe, expect, test } from 'vitest';
import { makeSchema } from '../keys.js';
import { knownOfLeftKeys } from '../known.js';
import type { Run } from '../run.js';
import { plainKey, plainSchema, plainTable, plainWrite } from './plain-specs.js';
import type { WriteSpec } from './write-spec.js';

/**
 * t1 references t0 by f0 and f1, which do nothing ON UPDATE, and by f2, which sets a default; t2 references what f2 sets, by f3; t0
 * references t3 by f4, and so does t4 by f5; f6 of t1 to t0 is deferred.
 */
const schema = makeSchema(
  {
    tables: [plainTable, plainTable, plainTable, plainTable, plainTable],
    keys: [
      plainKey,
      plainKey,
      { ...plainKey, onUpdate: 'SET DEFAULT', defaultValue: 4 },
      { ...plainKey, from: 2, to: 1 },
      { ...plainKey, from: 0, to: 3 },
      { ...plainKey, from: 4, to: 3 },
      { ...plainKey, indexed: true, deferrable: true },
    ],
    ...plainSchema,
    late: true,
  },
  false,
  true,
);
/** Changes t0: of the relations that can be written it is that of f4. */
const spec: WriteSpec = {
  ...plainWrite,
  ...{ form: 'update', relation: 12, help: 12, sets: 'referenced' },
};

function breaks(message: string, table: string, name = '', code = '23503'): Run {
  const named = name === '' ? '' : ` n=${name}`;
  return {
    answers: [[`E C=${code} D=… M=${message}${named} s=a t=${table}`]],
    left: [],
    orphans: [],
    refused: undefined,
  };
}
const written = (key: string, table: string) =>
  breaks(`insert or update on table "${table}" violates`, table, key);
const referenced = (key: string, table = 't1') =>
  breaks('update or delete on table "t" violates', table, key);
const duplicate = (table: string) => breaks('duplicate key value', table, `${table}_code_key`, '23505');

function known(native: Run, proxied: Run, given: Partial<WriteSpec> = {}) {
  return knownOfLeftKeys(native, proxied, 0, schema, { ...spec, ...given });
}

describe('where an UPDATE changes what keys reference, of several broken rules', () => {
  test('the proxy names what the statement itself writes in place of what comes of it', () => {
    expect(known(referenced('f0'), written('f4', 't0'))).toBe('another rule');
    expect(known(duplicate('t1'), written('f4', 't0'))).toBe('another rule');
    expect(known(written('f4', 't0'), referenced('f0'))).toBeUndefined();
  });

  test('of the keys that reference it the older one', () => {
    expect(known(referenced('f1'), referenced('f0'))).toBe('another rule');
    expect(known(referenced('f0'), referenced('f1'))).toBeUndefined();
    expect(known(referenced('f0'), referenced('f0'))).toBeUndefined();
  });

  test('what is referenced, or has no place, before the keys of what was changed, and what is deferred', () => {
    expect(known(written('f2', 't1'), referenced('f1'))).toBe('another rule');
    expect(known(written('f2', 't1'), duplicate('t1'))).toBe('another rule');
    expect(known(referenced('f6'), referenced('f1'))).toBe('another rule');
    expect(known(referenced('f1'), written('f2', 't1'))).toBeUndefined();
    expect(known(referenced('f1'), referenced('f6'))).toBeUndefined();
  });

  test('and nothing that the change does not come to', () => {
    expect(known(referenced('f0'), written('f5', 't4'))).toBeUndefined();
    expect(known(referenced('f5', 't4'), referenced('f0'))).toBeUndefined();
    expect(known(duplicate('t4'), referenced('f0'))).toBeUndefined();
  });

  test('another row of one new key only where ON UPDATE may change a row of the statement again', () => {
    const broken = (value: number): Run => {
      const answer = `E C=23503 D=Key (k)=(${value}) … M=insert or update on table "t1" violates n=f1 s=a t=t1`;
      return { answers: [[answer]], left: [], orphans: [], refused: undefined };
    };
    const known = (onUpdate: 'CASCADE' | 'NO ACTION') => {
      const keys = [{ ...plainKey, from: 1, to: 1, onUpdate }, plainKey];
      const made = makeSchema({ tables: [plainTable, plainTable], keys, ...plainSchema }, false, true);
      return knownOfLeftKeys(broken(1), broken(2), 0, made, { ...spec, relation: 0 });
    };
    expect(known('CASCADE')).toBe('another rule');
    expect(known('NO ACTION')).toBeUndefined();
  });

  test('wherever the UPDATE stands, and only where the same rows are left', () => {
    const beside = { form: 'write beside a delete', help: 12, variant: 3, relation: 12 } as const;
    expect(known(referenced('f1'), referenced('f0'), beside)).toBe('another rule');
    expect(known(referenced('f0'), referenced('f1'), beside)).toBeUndefined();
    expect(known(referenced('f1'), { ...referenced('f0'), left: ['D a row'] })).toBeUndefined();
  });
});
