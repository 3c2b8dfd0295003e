/** An UPDATE of what a key references by NO ACTION or RESTRICT: what row it leaves behind is found as natively. */
import { describe, expect, test } from 'vitest';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });
const ROWS = [
  'SELECT * FROM orgs ORDER BY id',
  'SELECT * FROM users ORDER BY id',
  'SELECT * FROM pairs ORDER BY a',
];

describe('a simple query', () => {
  test.each([
    'UPDATE orgs SET id = id + 10 WHERE id = 1',
    'UPDATE orgs SET id = id + 10 WHERE id = 7',
    "UPDATE orgs SET name = 'x', id = CASE id WHEN 7 THEN 8 ELSE id END",
    'UPDATE orgs SET id = id + 100',
    'UPDATE orgs SET id = CASE id WHEN 7 THEN 8 ELSE id + 10 END RETURNING *',
    'UPDATE orgs SET id = 9 WHERE id = 7 RETURNING old.id, new.*',
    'UPDATE orgs SET id = CASE id WHEN 1 THEN 3 WHEN 7 THEN 1 ELSE id END',
    'INSERT INTO orgs VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 9',
    'INSERT INTO orgs VALUES (7), (8) ON CONFLICT (id) DO UPDATE SET id = 9 RETURNING id',
    'MERGE INTO orgs USING (VALUES (1)) AS s (id) ON orgs.id = s.id WHEN MATCHED THEN UPDATE SET id = 9',
    'MERGE INTO orgs USING (VALUES (7), (8)) AS s (id) ON orgs.id = s.id WHEN MATCHED THEN UPDATE SET id = 9 WHEN NOT MATCHED THEN INSERT VALUES (s.id)',
    "UPDATE pairs SET b = 'z' WHERE a = 1",
    "UPDATE pairs SET b = 'z' WHERE a = 2",
    'UPDATE users SET id = 11 WHERE id = 10',
    'UPDATE users SET id = 21 WHERE id = 20',
    'UPDATE users SET id = id + 100, boss = boss + 100',
    'UPDATE users SET id = id + 100, boss = boss + 101',
    'UPDATE orgs SET id = 1 WHERE id = 7',
    'UPDATE orgs SET id = NULL WHERE id = 7',
  ])('%s', async (text) => {
    await twin.queries(text, ...ROWS);
  });

  test('in a transaction, and of several statements', () =>
    twin.queries(
      'BEGIN; UPDATE orgs SET id = 8 WHERE id = 7',
      'SAVEPOINT s',
      'UPDATE orgs SET id = 3 WHERE id = 1',
      'ROLLBACK TO s; SELECT count(*) FROM orgs WHERE id = 8; UPDATE orgs SET id = 9 WHERE id = 8; UPDATE orgs SET id = 10 WHERE id = 9 RETURNING id',
      'COMMIT',
      ...ROWS,
      'UPDATE orgs SET id = 11 WHERE id = 10; UPDATE orgs SET id = 3 WHERE id = 1; SELECT 1',
      'SET search_path = public; UPDATE orgs SET id = 11 WHERE id = 10 RETURNING id; UPDATE orgs SET id = 12 WHERE id = 11; UPDATE orgs SET id = 3 WHERE id = 1 RETURNING id',
      'SET search_path = public; UPDATE orgs SET id = 12 WHERE id = 10 RETURNING id; SELECT 5',
      ...ROWS,
    ));
});

describe('the extended protocol', () => {
  const update = 'UPDATE orgs SET id = $1 WHERE id = $2';

  test('is answered as natively', () =>
    twin.asNative((client) =>
      client.ask(
        parse(update),
        describeStatement(),
        bind({ values: ['8', '7'] }),
        describePortal(),
        execute(),
        run(update, ['9', '8']),
        sync,
      ),
    ));

  test('is refused as natively, and the rest of its pipeline skipped', () =>
    twin.asNative((client) =>
      client.ask(run(update, ['8', '7']), run(update, ['3', '1']), run(update, ['9', '8']), sync),
    ));

  test('gives rows in portions', () =>
    twin.asNative((client) =>
      client.ask(
        parse(
          'INSERT INTO orgs VALUES (7), (8), (9) ON CONFLICT (id) DO UPDATE SET id = orgs.id + 10 RETURNING id',
          'r',
        ),
        bind({ statement: 'r', portal: 'p', binary: true }),
        execute('p', 2),
        execute('p', 2),
        execute('p'),
        sync,
      ),
    ));
});

describe('what is prepared', () => {
  test('by SQL is looked at when it is executed', () =>
    twin.queries(
      'PREPARE u AS UPDATE orgs SET id = $1 WHERE id = $2',
      'EXECUTE u (8, 7)',
      'EXECUTE u (3, 1)',
      'EXECUTE u (9, 8); SELECT 1; EXECUTE u (3, 1)',
      'PREPARE r (int) AS UPDATE orgs SET id = $1 WHERE id = 8 RETURNING id; EXECUTE r (9)',
      'BEGIN; EXECUTE u (10, 9); EXECUTE u (11, 10)',
      'COMMIT',
      ...ROWS,
    ));

  test('by the protocol is looked at when SQL executes it', () =>
    twin.asNative(async (client) => [
      ...(await client.ask(parse('UPDATE orgs SET id = $1 WHERE id = $2', 'u', [23, 23]), sync)),
      ...(await client.ask(query('EXECUTE u (8, 7)'))),
      ...(await client.ask(query('EXECUTE u (3, 1)'))),
      ...(await client.ask(run('EXECUTE u (9, 8)'), run('EXECUTE u (3, 1)'), sync)),
    ]));

  test('by SQL with EXPLAIN ANALYZE is looked at', async () => {
    const client = await twin.proxy.connect(twin.emulated.database.name);
    for (const text of ['UPDATE orgs SET id = 3 WHERE id = 1', 'EXECUTE u (3, 1)']) {
      await client.query('DEALLOCATE ALL; PREPARE u AS UPDATE orgs SET id = $1 WHERE id = $2');
      await expect(client.query(`EXPLAIN ANALYZE ${text}`)).rejects.toMatchObject({ code: '23503' });
    }
    const { rows } = await client.query('EXPLAIN ANALYZE UPDATE orgs SET id = 8 WHERE id = 7');
    expect(JSON.stringify(rows)).toContain('Update on orgs');
  });
});
