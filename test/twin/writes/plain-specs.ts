/** A table, a key and a write of one row, as plain as can be: tests of what is known to differ say what is otherwise in theirs. */
import type { KeySpec, SchemaSpec, TableSpec } from '../schema-spec.js';
import type { WriteSpec } from './write-spec.js';

/** With one row, which references the first one. */
export const plainTable: TableSpec = {
  ...{ idType: 'int4', identity: 'id', kind: 'plain', levels: 1, inherits: null, odd: 0, elsewhere: false },
  ...{ gap: false, trigger: 'none', kept: 1, view: null },
  rows: [{ id: 1, code: null, pair: [1, 1], references: [0] }],
};

/** From t1 to t0. */
export const plainKey: KeySpec = {
  ...{ from: 1, to: 0, fromPart: null, toPart: null, target: 0, action: 'CASCADE', onUpdate: 'NO ACTION' },
  ...{ own: false, subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
  ...{ full: false, deferrable: false, shared: null },
};

/** What a schema has beside its tables and keys. */
export const plainSchema = {
  ...{ patterns: [], acyclic: false, mild: false, crowded: false, late: false },
} satisfies Partial<SchemaSpec>;

/** Of a row that breaks nothing. */
export const plainWrite: WriteSpec = {
  binary: { parameters: false, results: 'text' },
  ...{ form: 'insert', relation: 0, help: 0, sets: 'key', where: 'all', value: 1 },
  ...{ returning: 'none', alias: false, only: false, variant: 0 },
  ...{ manner: 'simple', declared: false, transaction: 'none' },
  rows: [{ id: 7, code: null, pair: [1, 5], references: [0], value: 1 }],
};
