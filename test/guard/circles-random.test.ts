/** Random trees whose keys share the tenant of the rows' own, and tables that reference each other: what an UPDATE leaves is what it leaves natively. */
import fc from 'fast-check';
import { test } from 'vitest';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE tree (tenant int, id int, parent int, PRIMARY KEY (tenant, id),
    CONSTRAINT tree_parent_fkey FOREIGN KEY (tenant, parent) REFERENCES tree ON UPDATE CASCADE KEYS);
  CREATE TABLE docs (id int PRIMARY KEY, tenant int, node int,
    CONSTRAINT docs_node_fkey FOREIGN KEY (tenant, node) REFERENCES tree ON UPDATE SET NULL KEYS);
  CREATE TABLE notes (id int PRIMARY KEY, tenant int, node int, UNIQUE (tenant, id),
    CONSTRAINT notes_node_fkey FOREIGN KEY (tenant, node) REFERENCES tree ON UPDATE CASCADE KEYS);
  CREATE TABLE marks (tenant int, note int,
    CONSTRAINT marks_note_fkey FOREIGN KEY (tenant, note) REFERENCES notes (tenant, id) ON UPDATE CASCADE KEYS);
  CREATE TABLE one (x int PRIMARY KEY, y int);
  CREATE TABLE two (x int PRIMARY KEY CONSTRAINT two_x_fkey REFERENCES one ON UPDATE CASCADE KEYS);
  ALTER TABLE one ADD CONSTRAINT one_x_fkey FOREIGN KEY (x) REFERENCES two ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED KEYS;
  ALTER TABLE one ADD CONSTRAINT one_y_fkey FOREIGN KEY (y) REFERENCES two KEYS;`;

const ROWS = `
  SET session_replication_role = replica;
  TRUNCATE tree, docs, notes, marks, one, two;
  INSERT INTO one VALUES (1, 1), (2, 2), (3, 3); INSERT INTO two VALUES (1), (2), (3);
  RESET session_replication_role;`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

const small = fc.integer({ min: 1, max: 3 });
const given = fc.record({
  /** For each row of the tree its tenant, and which of the rows before it in that is its parent. */
  rows: fc.array(fc.tuple(small, fc.nat(3)), { minLength: 3, maxLength: 12 }),
  below: fc.array(fc.nat(11), { minLength: 2, maxLength: 8 }),
  set: fc.constantFrom(
    ...['tenant = 9', 'tenant = tenant + 1', 'id = id + 20', 'id = 30', 'tenant = 9, id = id + 20'],
    ...['id = id + 20, parent = parent + 20', 'tenant = 9, parent = NULL', 'parent = id'],
  ),
  where: fc.constantFrom(
    '',
    'WHERE tenant = 1',
    'WHERE id = 1',
    'WHERE id < 3',
    'WHERE (tenant, id) = (2, 1)',
  ),
  pair: fc.constantFrom(
    ...['UPDATE one SET x = x + 10', 'UPDATE one SET x = 9 WHERE x = 1', 'UPDATE two SET x = 9 WHERE x = 2'],
    ...[
      'UPDATE one SET x = x + 10, y = y + 10',
      'UPDATE one SET x = 9, y = 9 WHERE x = 1',
      'UPDATE one SET x = 4 - x',
    ],
  ),
});

test.each([1, 2, 3, 4, 5, 6])('those of seed %i', async (seed) => {
  for (const { rows, below, set, where, pair } of fc.sample(given, { seed, numRuns: 12 })) {
    const made: { tenant: number; id: number; parent: number | undefined }[] = [];
    for (const [tenant, choice] of rows) {
      const before = made.filter((each) => each.tenant === tenant);
      made.push({ tenant, id: before.length + 1, parent: before[choice]?.id });
    }
    const values = made.map(({ tenant, id, parent }) => `(${tenant}, ${id}, ${parent ?? 'NULL'})`).join(', ');
    const at = (n: number) => made[n % made.length];
    const children = below.map((n, i) => `(${i}, ${at(n)?.tenant}, ${at(n)?.id})`).join(', ');
    const marks = below.map((n, i) => `(${at(n)?.tenant}, ${i})`).join(', ');
    await twin.queries(
      `BEGIN; INSERT INTO tree VALUES ${values}; INSERT INTO docs VALUES ${children}; INSERT INTO notes VALUES ${children}; INSERT INTO marks VALUES ${marks}`,
      `UPDATE tree SET ${set} ${where}`,
      ...['tree', 'docs', 'notes', 'marks'].map((table) => `SELECT * FROM ${table} ORDER BY 1, 2`),
      'ROLLBACK',
      'BEGIN',
      pair,
      'TABLE one ORDER BY 1; TABLE two ORDER BY 1',
      'ROLLBACK',
    );
  }
});
