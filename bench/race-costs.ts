import pg from 'pg';
import type { Way } from './race.js';

/** What the DELETEs of one size took, in milliseconds: for each round, one number a way. */
export interface Cost {
  readonly name: string;
  readonly times: readonly (readonly number[])[];
}

interface Made {
  readonly client: pg.Client;
  readonly url: string;
}

const schema = (enforced: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id serial PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE ${enforced});
  CREATE TABLE posts (id serial PRIMARY KEY, author int REFERENCES users ON DELETE CASCADE ${enforced});
  CREATE TABLE marks (id serial PRIMARY KEY, post int REFERENCES posts ON DELETE CASCADE ${enforced});
  CREATE INDEX ON users (org); CREATE INDEX ON posts (author); CREATE INDEX ON marks (post);
  INSERT INTO orgs VALUES (1), (2), (3);
  INSERT INTO users (org) SELECT 1 FROM generate_series(1, 10); INSERT INTO users (org) SELECT 2 FROM generate_series(1, 5000);
  INSERT INTO posts (author) SELECT id FROM users, generate_series(1, 10);
  INSERT INTO marks (post) SELECT p.id FROM posts AS p JOIN users AS u ON u.id = p.author, generate_series(1, CASE org WHEN 1 THEN 5 ELSE 4 END);
  INSERT INTO posts (id, author) SELECT 1000000 + n, 1 FROM generate_series(1, 1000) AS n;`;

/** How often a DELETE is timed in a round, and what it takes; each is rolled back. */
const SIZES = [
  { name: 'a leaf', sql: 'DELETE FROM posts WHERE id = $1', value: (i: number) => 1000001 + i, times: 200 },
  { name: '610 rows below', sql: 'DELETE FROM orgs WHERE id = $1', value: () => 1, times: 10 },
  { name: '255,000 rows below', sql: 'DELETE FROM orgs WHERE id = $1', value: () => 2, times: 1 },
] as const;

/** Times DELETEs of some sizes in every way, in turn. */
export async function costs(
  ways: readonly Way[],
  make: (way: Way, ddl: (enforced: string) => string) => Promise<Made>,
  rounds: number,
): Promise<readonly Cost[]> {
  const clients: pg.Client[] = [];
  for (const way of ways) {
    const { client: straight, url } = await make(way, schema);
    await straight.query('VACUUM ANALYZE');
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    clients.push(client);
  }
  try {
    const measured: Cost[] = [];
    for (const size of SIZES) {
      const times: number[][] = [];
      for (let round = -1; round < rounds; round++) {
        const time = clients.map(() => 0);
        for (let step = 0; step < ways.length; step++) {
          const way = (round + 1 + step) % ways.length;
          const client = clients[way];
          if (client) time[way] = await timed(client, size);
        }
        if (round >= 0) times.push(time);
      }
      measured.push({ name: size.name, times });
    }
    return measured;
  } finally {
    for (const client of clients) await client.end();
  }
}

/** The milliseconds that one DELETE takes, prepared. */
async function timed(
  client: pg.Client,
  { name, sql, value, times }: (typeof SIZES)[number],
): Promise<number> {
  await client.query('BEGIN');
  const begin = performance.now();
  for (let i = 0; i < times; i++) await client.query({ name, text: sql, values: [value(i)] });
  const took = performance.now() - begin;
  await client.query('ROLLBACK');
  return took / times;
}
