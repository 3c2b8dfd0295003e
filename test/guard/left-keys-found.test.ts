/** What references a left key is found by an index: the server does not go through the whole table for it. */
import { expect, test } from 'vitest';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE teams (id int PRIMARY KEY);
  CREATE TABLE members (id int PRIMARY KEY, team int CONSTRAINT members_team_fkey REFERENCES teams ON UPDATE CASCADE KEYS);
  CREATE INDEX ON members (team);
  CREATE TABLE guests (id int PRIMARY KEY, team int CONSTRAINT guests_team_fkey REFERENCES teams ON UPDATE SET NULL KEYS);
  CREATE INDEX ON guests (team);`;
const ROWS = `
  TRUNCATE teams, members, guests;
  INSERT INTO teams SELECT generate_series(1, 100);
  INSERT INTO members SELECT n, 1 + n % 100 FROM generate_series(1, 5000) AS n;
  INSERT INTO guests SELECT n, 1 + n % 100 FROM generate_series(1, 5000) AS n;`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

test('a row that nothing references is changed without a scan of the tables that could', async () => {
  const control = await twin.emulated.database.connect();
  await control.query('INSERT INTO teams VALUES (101)');
  await control.query('VACUUM ANALYZE');
  const scans = async () => {
    await control.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await control.query(
      `SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname IN ('members', 'guests') ORDER BY 1`,
    );
    return rows;
  };
  const client = await twin.proxy.connect(twin.emulated.database.name);
  const before = await scans();
  await client.query('UPDATE teams SET id = 102 WHERE id = 101; SELECT pg_stat_force_next_flush()');
  await client.query('SELECT 1');
  expect(await scans()).toEqual(before);
  await client.query('UPDATE teams SET id = 200 WHERE id = 2; SELECT pg_stat_force_next_flush()');
  expect((await client.query('SELECT count(*)::int AS n FROM members WHERE team = 200')).rows).toEqual([
    { n: 50 },
  ]);
});
