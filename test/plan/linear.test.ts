/** What a plan costs: in reads of the graph's tables and keys, as time is no measure on a busy machine. */

import { beforeAll, expect, test } from 'vitest';
import { Graph } from '../../src/graph/graph.js';
import type { ForeignKey, Relation } from '../../src/graph/model.js';
import { postgres } from '../../src/profiles/profile.js';
import { rewrite } from '../../src/rewrite/text.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { readStatements } from '../../src/sql/statement/statement.js';
import { atOnce } from '../support/at-once.js';

beforeAll(() => parserReady());

type Action = ForeignKey['action'];

/** A schema with so many tables; `t0` is deleted from. */
type Shape = (tables: number, schema: Schema) => void;

interface Schema {
  /** Makes a key from table to table. */
  key(from: number, to: number, action?: Action): void;
  /** Makes a table a partition of another one. */
  partition(table: number, of: number): void;
}

const actions = ['cascade', 'cascade', 'set null', 'no action', 'set default'] as const;

const shapes: Readonly<Record<string, Shape>> = {
  'a chain': (tables, { key }) => each(tables, (i) => key(i, i - 1)),
  'a star': (tables, { key }) => each(tables, (i) => key(i, 0)),
  'a tree with two keys a table': (tables, { key }) =>
    each(tables, (i) => {
      key(i, (i - 1) >> 2);
      key(i, i >> 2);
    }),
  'a star of all actions': (tables, { key }) => each(tables, (i) => key(i, 0, actions[i % actions.length])),
  'tables that reference themselves': (tables, { key }) =>
    each(tables, (i) => {
      key(i, 0);
      key(i, i);
    }),
  'one cycle': (tables, { key }) => each(tables, (i) => key(i % (tables - 1), i - 1)),
  partitions: (tables, { key, partition }) => {
    key(1, 0);
    key(1, 0, 'set null');
    each(tables, (i) => i > 1 && partition(i, 1));
  },
  'partitions that are referenced': (tables, { key, partition }) => {
    each(tables, (i) => (i % 2 === 1 ? partition(i, 0) : key(i, i - 1)));
  },
};

test.each(Object.entries(shapes))('%s: twice the tables are twice the work', (_, shape) => {
  const [once, twice] = [readsOf(shape, 100), readsOf(shape, 200)];
  expect(twice / once).toBeLessThan(2.2);
});

test('a chain of ten thousand tables is planned', () => {
  expect(planned(graphOf(shapes['a chain'] as Shape, 10_000)).treatments).toMatchObject([
    { kind: 'cascade' },
  ]);
});

test('what keys that the server cascades lead to is found once for a graph, and not once a key', () => {
  const chain = (tables: number) => {
    let reads = 0;
    const key = (schema: Schema) => each(tables, (i) => schema.key(i, i - 1));
    const graph = graphOf(
      (_, schema) => key(schema),
      tables,
      () => reads++,
      (from) => (from === tables - 1 ? 'proxy' : 'server'),
    );
    planned(graph);
    return reads;
  };
  expect(chain(200) / chain(100)).toBeLessThan(2.2);
});

function each(tables: number, make: (table: number) => unknown): void {
  for (let i = 1; i < tables; i++) make(i);
}

function readsOf(shape: Shape, tables: number): number {
  let reads = 0;
  planned(graphOf(shape, tables, () => reads++));
  return reads;
}

function planned(graph: Graph) {
  const text = 'DELETE FROM t0';
  return atOnce(
    rewrite(
      text,
      readStatements(text) ?? [],
      {
        graph,
        meaning: () => 0,
        returnedColumns: () => [],
        executable: () => undefined,
        profile: postgres(18),
        counting: false,
        refusesCode: false,
        triggers: 'warn',
        guard: 'off',
        verifiesCopies: false,
        locks: 'rows',
        atomic: true,
        strategy: 'single',
        batchRows: 0,
        onLimit: 'fail',
        reject: true,
        inString: true,
        retries: false,
      },
      { touched: false, sensitive: true },
    ),
  );
}

/** @param onRead is called whenever something of a table or a key is read, where that is of interest */
function graphOf(
  shape: Shape,
  tables: number,
  onRead?: () => void,
  performer: (from: number) => ForeignKey['performer'] = () => 'proxy',
): Graph {
  const parents = new Map<number, number>();
  const wanted: { from: number; to: number; action: Action }[] = [];
  shape(tables, {
    key: (from, to, action = 'cascade') => wanted.push({ from, to, action }),
    partition: (table, of) => parents.set(table, of),
  });
  const counting = <T extends object>(value: T): T =>
    onRead === undefined
      ? value
      : new Proxy(value, {
          get(target, property, receiver) {
            onRead();
            return Reflect.get(target, property, receiver);
          },
        });
  const partitioned = new Set(parents.values());
  const relations = Array.from({ length: tables }, (_, oid): Relation => {
    const parent = parents.get(oid);
    return counting({
      ...{ oid, schema: 'public', name: `t${oid}`, kind: partitioned.has(oid) ? 'p' : 'r' },
      ...{
        rewriteRules: false,
        mayKeepRows: false,
        redirectsWrites: false,
        triggers: [],
        definition: null,
        viewOf: [],
        reads: [],
      },
      ...{ partition: parent !== undefined, parents: parent === undefined ? [] : [parent] },
      columns: ['id', 'key'].map((name) => ({
        name,
        notNull: false,
        scalar: true,
        constant: 'NULL',
        generated: false,
      })),
      ...{ primaryKey: ['id'], indexed: ['id'] },
    });
  });
  const keys = wanted.flatMap(({ from, to, action }, id): ForeignKey[] => {
    const [referencing, referenced] = [relations[from], relations[to]];
    if (!referencing || !referenced) return [];
    const types = {
      ...{ type: 'pg_catalog.int4', ownType: 'pg_catalog.int4' },
      ...{ commutator: 'pg_catalog.=', left: null, right: null, collation: null },
    };
    const key: ForeignKey = {
      ...{ declared: true, id, name: `k${id}`, referencing: referencing, referenced: referenced, action },
      onUpdate: 'no action',
      performer: performer(from),
      columns: [{ referencing: 'key', referenced: 'id', operator: 'pg_catalog.=', ...types }],
      ...{
        enforcedByServer: true,
        enforced: false,
        deferred: false,
        matchFull: false,
        period: false,
        copies: [],
      },
      setColumns: action.startsWith('set') ? ['key'] : [],
    };
    return [counting(key)];
  });
  return new Graph(new Map(relations.map((relation, oid) => [oid, relation])), keys, [], []);
}
