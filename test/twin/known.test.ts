import { describe, expect, test } from 'vitest';
import { makeSchema } from './keys.js';
import { knownDifference } from './known.js';
import type { Run } from './run.js';
import type { KeySpec, TableSpec } from './schema-spec.js';
import { FORMS } from './statement-spec.js';
import { WRITE_FORMS } from './writes/write-spec.js';

const parent: TableSpec = {
  ...{ idType: 'int4', identity: 'id', kind: 'plain', levels: 1, inherits: null, odd: 0, elsewhere: false },
  ...{ gap: false, trigger: 'none', kept: 1, view: null },
  rows: [{ id: 1, code: null, pair: [1, 1], references: [null] }],
};
const setDefault: KeySpec = {
  ...{
    from: 1,
    to: 0,
    fromPart: null,
    toPart: null,
    target: 0,
    action: 'SET DEFAULT',
    onUpdate: 'NO ACTION',
  },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: 4, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};

/** What the key that is named breaks, on one side. */
function breaks(name: string, code = '23503', left: readonly string[] = []): Run {
  const message = 'insert or update on table "t1" violates foreign key constraint';
  return {
    answers: [[`E C=${code} D=… M=${message} n=${name} s=a t=t1`]],
    left,
    orphans: [],
    refused: undefined,
  };
}

/** @param references for each key of the child's row the parent that it takes */
function known(native: Run, proxied: Run, keys: readonly KeySpec[], references: readonly (number | null)[]) {
  const child: TableSpec = { ...parent, rows: [{ id: 1, code: null, pair: [1, 1], references }] };
  const options = { patterns: [], acyclic: false, mild: false, crowded: false, late: false };
  return knownDifference(
    native,
    proxied,
    0,
    makeSchema({ tables: [parent, child], keys, ...options }, false),
  );
}

describe('which of two SET DEFAULT keys is broken may differ', () => {
  test('where a row has them both', () => {
    expect(known(breaks('f0'), breaks('f1'), [setDefault, setDefault], [0, 0])).toBe('set twice');
  });

  test('and not where no row has, or what is set references nothing, or another key is broken', () => {
    const keys = [setDefault, setDefault];
    expect(known(breaks('f0'), breaks('f1'), keys, [0, null])).toBeUndefined();
    expect(
      known(breaks('f0'), breaks('f1'), [setDefault, { ...setDefault, defaultValue: null }], [0, 0]),
    ).toBeUndefined();
    const second = { ...setDefault, from: 0, to: 1 };
    expect(known(breaks('f0'), breaks('f1'), [setDefault, second], [0, 0])).toBeUndefined();
  });

  test('and not where the same key is named, or other rows are left, or the proxy raises nothing', () => {
    const keys = [setDefault, setDefault];
    expect(known(breaks('f0'), breaks('f0'), keys, [0, 0])).toBeUndefined();
    expect(known(breaks('f0'), breaks('f1', '23503', ['D a row']), keys, [0, 0])).toBeUndefined();
    expect(
      known(breaks('f0'), { ...breaks('f1'), answers: [['C DELETE 1.']] }, keys, [0, 0]),
    ).toBeUndefined();
  });
});

describe('another rule than that of a row which is still referenced may be reported', () => {
  const referenced = 'update or delete on table "t1" violates foreign key constraint';
  const still = (name: string): Run => ({
    answers: [[`E C=23503 D=… M=${referenced} "${name}" on table "t1" n=${name} s=a t=t1`]],
    left: [],
    orphans: [],
    refused: undefined,
  });
  // The first sets the child's code, by which the child references itself.
  const taking: KeySpec = { ...setDefault, action: 'SET NULL', target: 1, own: true };
  const self: KeySpec = { ...setDefault, action: 'NO ACTION', to: 1, target: 1 };

  test('where a SET key takes from the row what it is referenced by', () => {
    expect(known(still('f1'), breaks('f0'), [taking, self], [0, 0])).toBe('taken away');
  });

  test('and not where it takes something else, or both name the same rule', () => {
    expect(known(still('f1'), breaks('f0'), [{ ...taking, own: false }, self], [0, 0])).toBeUndefined();
    expect(known(still('f1'), still('f1'), [taking, self], [0, 0])).toBeUndefined();
  });
});

test('no form of a write is called as one of a DELETE is: by it the fuzzer tells them apart', () => {
  const forms: readonly string[] = FORMS;
  expect(WRITE_FORMS.filter((form) => forms.includes(form))).toEqual([]);
});
