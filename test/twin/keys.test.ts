import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { makeSchema } from './keys.js';
import type { Action, KeySpec, TableSpec } from './schema-spec.js';
import { createSql, type Kind } from './schema-sql.js';

const database = useDatabase();

const plain: TableSpec = {
  idType: 'int4',
  identity: 'id',
  kind: 'plain',
  levels: 1,
  inherits: null,
  odd: 0,
  elsewhere: false,
  gap: false,
  trigger: 'none',
  kept: 1,
  view: null,
  rows: [],
};
const parent = plain;
const child: TableSpec = { ...plain, kind: 'range' };

/** From the child's code to the parent's. */
function key(fromPart: number | null, action: Action): KeySpec {
  return {
    ...{ from: 1, to: 0, fromPart, toPart: null, target: 1, action, onUpdate: 'NO ACTION', own: true },
    ...{ subset: false, notNull: false, indexed: false, defaultValue: null, otherType: 0 },
    ...{ full: false, deferrable: false, shared: null },
  };
}

/** The names of the keys that PostgreSQL has when they are made in this order, without the parts of others. */
async function keysMade(keys: readonly KeySpec[], kind: Kind): Promise<readonly string[]> {
  const options = { patterns: [], acyclic: false, mild: false, crowded: false, late: false };
  const schema = makeSchema({ tables: [parent, child], keys, ...options }, kind === 'overridden');
  const client = await database.connect();
  try {
    await client.query(createSql(schema, kind).join(';\n'));
    const { rows } = await client.query<{ conname: string }>(
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY conname`,
    );
    expect(rows).toHaveLength(schema.keys.length);
    return rows.map(({ conname }) => conname);
  } finally {
    await client.end();
  }
}

test('with overrides a key is not generated that would take over a key of a partition', async () => {
  const keys = [key(0, 'CASCADE'), key(null, 'SET NULL')];
  expect(await keysMade(keys, 'native')).toEqual(['f0', 'f1']);
  expect(await keysMade(keys, 'overridden')).toEqual(['f0_on_cascade']);
});

test('with overrides a partition has a key beside that of its table where PostgreSQL keeps both', async () => {
  expect(await keysMade([key(null, 'SET NULL'), key(0, 'CASCADE')], 'overridden')).toEqual([
    'f0_on_set_null',
    'f1_on_cascade',
  ]);
  const other = { ...key(0, 'CASCADE'), onUpdate: 'CASCADE' } as const;
  expect(await keysMade([other, key(null, 'SET NULL')], 'overridden')).toEqual([
    'f0_on_cascade',
    'f1_on_set_null',
  ]);
});
