/** Which names may mean a relation of a graph: no doubt may be taken for a no. */
import { describe, expect, test } from 'vitest';
import { RelationNames } from '../../src/graph/relation-names.js';
import { rawBytes } from '../../src/sql/encoding/raw-bytes.js';

const LONG = 'n'.repeat(63);
const RAW = rawBytes(Buffer.from([0xe9]));
const names = new RelationNames([
  { schema: 'public', name: 'orgs' },
  { schema: 'public', name: 'commandés' },
  { schema: 'pg_temp_7', name: 'mine' },
  { schema: 'public', name: LONG },
]);
const may = (name: string, schema?: string) => names.mayInclude({ schema, name });

describe('a name may mean a relation of the graph', () => {
  test.each([
    ['of that name', 'orgs', undefined],
    ['in that schema', 'orgs', 'public'],
    ['in the schema of temporary relations, whatever that is called', 'mine', 'pg_temp'],
    ['where the server cuts it', `${LONG}n`, undefined],
    ['where the server may cut it, as it has letters beyond ASCII', 'é'.repeat(16), undefined],
    ['where its encoding is not known', RAW, undefined],
    ['where that of its schema is not', 'orgs', RAW],
  ])('%s', (_, name, schema) => expect(may(name, schema)).toBe(true));
});

describe('a name means none of the graph', () => {
  test.each([
    ['where none has it', 'users', undefined],
    ['where none has it, with letters beyond ASCII', 'élèves', undefined],
    ['in a schema where none has it', 'orgs', 'elsewhere'],
    ['that has its capitals in quotes', 'Orgs', undefined],
  ])('%s', (_, name, schema) => expect(may(name, schema)).toBe(false));

  test('where there is no relation at all', () => {
    const none = new RelationNames([]);
    expect([RAW, `${LONG}n`, 'orgs'].map((name) => none.mayInclude({ schema: undefined, name }))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

test('no name beyond ASCII is certain where the graph has one that is not decoded', () => {
  const some = new RelationNames([{ schema: 'public', name: RAW }]);
  expect(some.mayInclude({ schema: undefined, name: 'é' })).toBe(true);
  expect(some.mayInclude({ schema: undefined, name: 'e' })).toBe(false);
});
