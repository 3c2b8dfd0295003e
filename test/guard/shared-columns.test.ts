/** ON UPDATE where several keys may change the same rows, with cascade.guard: check: in the native order, or refused where rows decide it. */
import { describe, expect, test } from 'vitest';
import { run, sync } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE tenants (id int PRIMARY KEY, code int UNIQUE);
  CREATE TABLE people (tenant int CONSTRAINT people_tenant_fkey REFERENCES tenants ON UPDATE CASCADE KEYS, id int, PRIMARY KEY (tenant, id));
  CREATE TABLE notes (id int PRIMARY KEY, tenant int CONSTRAINT notes_tenant_fkey REFERENCES tenants ON UPDATE CASCADE KEYS, person int,
    CONSTRAINT notes_person_fkey FOREIGN KEY (tenant, person) REFERENCES people ON UPDATE CASCADE KEYS);
  CREATE TABLE marks (id int PRIMARY KEY, tenant int, person int, note int CONSTRAINT marks_note_fkey REFERENCES notes KEYS,
    CONSTRAINT marks_person_fkey FOREIGN KEY (tenant, person) REFERENCES people ON UPDATE SET NULL KEYS,
    CONSTRAINT marks_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenants ON UPDATE CASCADE KEYS);
  CREATE TABLE tops (id int PRIMARY KEY, other int UNIQUE);
  CREATE TABLE lefts (id int PRIMARY KEY CONSTRAINT lefts_fkey REFERENCES tops ON UPDATE CASCADE KEYS);
  CREATE TABLE rights (id int PRIMARY KEY CONSTRAINT rights_fkey REFERENCES tops ON UPDATE CASCADE KEYS);
  CREATE TABLE ends (id int PRIMARY KEY, v int DEFAULT 5 CONSTRAINT ends_left_fkey REFERENCES lefts ON UPDATE CASCADE KEYS);
  ALTER TABLE ends ADD CONSTRAINT ends_right_fkey FOREIGN KEY (v) REFERENCES rights ON UPDATE SET DEFAULT KEYS;
  CREATE TABLE leaves (v int CONSTRAINT leaves_fkey REFERENCES tops ON UPDATE CASCADE KEYS);
  ALTER TABLE leaves ADD CONSTRAINT leaves_other_fkey FOREIGN KEY (v) REFERENCES tops (other) ON UPDATE SET NULL KEYS;
  CREATE TABLE ring_a (id int PRIMARY KEY);
  CREATE TABLE ring_b (id int PRIMARY KEY CONSTRAINT ring_b_fkey REFERENCES ring_a ON UPDATE CASCADE KEYS);
  ALTER TABLE ring_a ADD CONSTRAINT ring_a_fkey FOREIGN KEY (id) REFERENCES ring_b ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED KEYS;`;
const ROWS = `
  TRUNCATE tenants, people, notes, marks, tops, lefts, rights, ends, leaves, ring_a, ring_b;
  INSERT INTO tenants VALUES (1, 1), (2, 2), (3, 3);
  INSERT INTO people VALUES (1, 1), (1, 2), (2, 1);
  INSERT INTO notes VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL), (5, NULL, 7);
  INSERT INTO marks VALUES (1, 1, 1, 1), (2, 2, 1, 3), (3, 3, NULL, NULL);
  INSERT INTO tops VALUES (1, 2), (2, 1), (3, 30), (4, 4), (5, 50), (6, 60);
  INSERT INTO lefts VALUES (1), (2), (5), (6); INSERT INTO rights VALUES (1), (2), (5), (6);
  INSERT INTO ends VALUES (1, 1), (2, 2), (3, NULL);
  INSERT INTO leaves VALUES (4);
  BEGIN; INSERT INTO ring_a VALUES (1); INSERT INTO ring_b VALUES (1); COMMIT;`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

test.each([
  'UPDATE tenants SET id = 10 WHERE id = 1',
  'UPDATE tenants SET id = 30 WHERE id = 3',
  'UPDATE tenants SET id = 10 WHERE id = 1 RETURNING *',
  'UPDATE tenants SET id = id + 10',
  'UPDATE tenants SET id = id + 10, code = code + 1 WHERE id <> 2',
  'UPDATE people SET id = 5 WHERE tenant = 1 AND id = 1',
  'UPDATE people SET id = id + 10',
  'UPDATE people SET tenant = 3 WHERE tenant = 2',
  'UPDATE people SET tenant = 9 WHERE tenant = 2',
  'UPDATE tops SET id = 10 WHERE id = 1',
  'UPDATE tops SET id = 50 WHERE id = 5',
  'UPDATE tops SET id = 40 WHERE id = 4',
  'UPDATE tops SET other = 40 WHERE id = 4',
  'UPDATE tops SET id = 40, other = 40 WHERE id = 4',
  'UPDATE tops SET id = 41, other = 42 WHERE id = 4',
  'UPDATE tops SET id = id, other = other + 100 WHERE id > 2',
  'UPDATE tops SET id = v.id, other = v.n FROM (VALUES (3, 33), (4, 44), (5, 55)) AS v (id, n) WHERE tops.id = v.id RETURNING *',
  'UPDATE tops SET id = 40 + id % 2, other = CASE id WHEN 4 THEN 44 ELSE other END WHERE id = 4',
  'UPDATE lefts SET id = 3 WHERE id = 1',
  'UPDATE ring_a SET id = 2',
  'INSERT INTO tenants VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 11',
])('%s', async (text) => {
  await twin.queries(text);
});

test('the extended protocol', () =>
  twin.asNative((client) =>
    client.ask(
      run('UPDATE tenants SET id = $1 WHERE id = $2', ['10', '1']),
      run('UPDATE tenants SET id = $1 WHERE id = $2', ['11', '10']),
      sync,
    ),
  ));

describe('two rows that leave', () => {
  const ways = ['nothing', 'id', 'other', 'both'] as const;
  const leaves = (way: (typeof ways)[number], column: 'id' | 'other') => way === column || way === 'both';
  // By id lead two ways to `ends`; by id and by other one each to `leaves`.
  test.each(
    ways.flatMap((one) => ways.map((another) => [one, another] as const)),
  )('%s and %s', async (one, another) => {
    const [ids, others] = (['id', 'other'] as const).map(
      (column) => [one, another].filter((way) => leaves(way, column)).length,
    ) as [number, number];
    const isSeveral = one !== 'nothing' && another !== 'nothing';
    const to = (way: (typeof ways)[number], id: number, other: number) =>
      `(${id}, ${leaves(way, 'id') ? id + 100 : id}, ${leaves(way, 'other') ? other + 100 : other})`;
    const text = `UPDATE tops SET id = v.id, other = v.other FROM (VALUES ${to(one, 1, 2)}, ${to(another, 4, 4)}) AS v (was, id, other) WHERE tops.id = v.was`;
    if (ids < 2 && !(isSeveral && ids > 0 && others > 0)) {
      await twin.queries(text);
      return;
    }
    const client = await twin.proxy.connect(twin.emulated.database.name);
    await expect(client.query(text)).rejects.toMatchObject({ code: '0A000' });
  });
});

describe('is refused by name', () => {
  test.each([
    [
      'where several rows leave keys, and which comes first decides',
      'UPDATE tops SET id = id + 100, other = other + 100',
    ],
    [
      'where one row leaves the one key, and another row the other',
      'UPDATE tops SET id = CASE id WHEN 3 THEN 103 ELSE id END, other = CASE id WHEN 4 THEN 44 ELSE other END WHERE id IN (3, 4)',
    ],
    [
      'where several rows leave a key that two ways lead on from',
      'UPDATE tops SET id = id + 100 WHERE id < 3',
    ],
  ])('%s', async (_, text) => {
    const client = await twin.proxy.connect(twin.emulated.database.name);
    await expect(client.query(text)).rejects.toMatchObject({
      code: '0A000',
      message: expect.stringContaining('what its ON UPDATE says cannot be done here'),
    });
  });
});
