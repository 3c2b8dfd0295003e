/** Rows that hang together: of a cascade that was cut short some would be left, and others not. */
import type pg from 'pg';

/** A column more than a key has, so that what is copied has something to say. */
export const SCHEMA = `
  CREATE TABLE org (id int PRIMARY KEY, name text);
  CREATE TABLE team (id int PRIMARY KEY, org_id int REFERENCES org ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE person (id int PRIMARY KEY, team_id int REFERENCES team ON DELETE CASCADE NOT ENFORCED, name text);
  CREATE TABLE note (org_id int REFERENCES org ON DELETE CASCADE NOT ENFORCED, line text);
  CREATE TABLE contract (id int PRIMARY KEY, org_id int REFERENCES org ON DELETE RESTRICT NOT ENFORCED);
  CREATE TABLE log (line text);
  CREATE INDEX ON team (org_id);
  CREATE INDEX ON person (team_id);
  CREATE INDEX ON note (org_id);
  CREATE INDEX ON contract (org_id);
  CREATE FUNCTION found(first int, last int, people int DEFAULT 2) RETURNS void LANGUAGE sql AS $$
    INSERT INTO org SELECT n, 'org' FROM generate_series(first, last) AS n ON CONFLICT DO NOTHING;
    INSERT INTO team SELECT 2 * n + i, n FROM generate_series(first, last) AS n, generate_series(0, 1) AS i
      ON CONFLICT DO NOTHING;
    INSERT INTO person SELECT people * t + i, t, 'person'
      FROM generate_series(2 * first, 2 * last + 1) AS t, generate_series(0, people - 1) AS i ON CONFLICT DO NOTHING;
  $$;`;

/** What is left of a family. `partial` must never be. */
export type Left = 'whole' | 'gone' | 'partial';

/** Makes families of one org, two teams and their people, from an id on. */
export async function found(client: pg.Client, first: number, count: number, people = 2): Promise<void> {
  await client.query('SELECT found($1, $2, $3)', [first, first + count - 1, people]);
}

/** An org that has a contract may not be deleted. */
export async function contract(client: pg.Client, org: number): Promise<void> {
  await client.query('INSERT INTO contract VALUES ($1, $1)', [org]);
}

/**
 * What is left of each of these families.
 * @param people how many each team has
 */
export async function leftOf(
  client: pg.Client,
  first: number,
  count: number,
  people = 2,
): Promise<ReadonlyMap<number, Left>> {
  const sql = `
    SELECT n AS id, (SELECT count(*) FROM org WHERE id = n)::int AS orgs,
      (SELECT count(*) FROM team WHERE org_id = n)::int AS teams,
      (SELECT count(*) FROM person WHERE team_id IN (2 * n, 2 * n + 1))::int AS people
    FROM generate_series($1::int, $2::int) AS n`;
  const { rows } = await client.query(sql, [first, first + count - 1]);
  return new Map(
    rows.map((row): [number, Left] => {
      if (row.orgs === 1 && row.teams === 2 && row.people === 2 * people) return [row.id, 'whole'];
      return [row.id, row.orgs + row.teams + row.people === 0 ? 'gone' : 'partial'];
    }),
  );
}

/** How many rows have no parent: after a cascade there is none. */
export async function orphans(client: pg.Client): Promise<number> {
  const sql = `
    SELECT ((SELECT count(*) FROM team WHERE NOT EXISTS (SELECT FROM org WHERE id = org_id))
      + (SELECT count(*) FROM person WHERE NOT EXISTS (SELECT FROM team WHERE id = team_id))
      + (SELECT count(*) FROM note WHERE NOT EXISTS (SELECT FROM org WHERE id = org_id)))::int AS count`;
  return (await client.query(sql)).rows[0].count;
}
