/** `cascade.locks: rows`: what SET DEFAULT makes rows reference is not deleted by another one before the DELETE is committed. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';

const schema = (keys: string) => `
  CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE);
  CREATE TABLE posts (id int PRIMARY KEY, author int DEFAULT 0 REFERENCES users ON DELETE SET DEFAULT ${keys});
  CREATE TABLE tags (id int PRIMARY KEY, name text DEFAULT 'it''s' REFERENCES users (name) ON DELETE SET DEFAULT ${keys});
  CREATE TABLE shops (owner int, number int, PRIMARY KEY (owner, number));
  CREATE TABLE sales (id int PRIMARY KEY, owner int, number int DEFAULT 0,
    FOREIGN KEY (owner, number) REFERENCES shops ON DELETE SET DEFAULT (number) ${keys})`;
const ROWS = `TRUNCATE users, posts, tags, shops, sales; INSERT INTO users VALUES (0, 'none'), (1, 'one'), (2, 'it''s');
  INSERT INTO posts VALUES (1, 1); INSERT INTO tags VALUES (1, 'one');
  INSERT INTO shops VALUES (1, 0), (1, 1); INSERT INTO sales VALUES (1, 1, 1)`;
const LEFT = `SELECT 'post', author::text FROM posts UNION ALL SELECT 'tag', name FROM tags
  UNION ALL SELECT 'sale', number::text FROM sales UNION ALL SELECT 'user', name FROM users ORDER BY 1, 2`;

const native = useDatabase(schema(''));
const emulated = useDatabase(schema('NOT ENFORCED'));
const proxy = useProxy({ cascade: { locks: 'rows' } });

const RACES = [
  ['a number', 'DELETE FROM users WHERE id = 1', 'DELETE FROM users WHERE id = 0'],
  ['a text with a quote', 'DELETE FROM users WHERE id = 1', 'DELETE FROM users WHERE id = 2'],
  ['a part of a key', 'DELETE FROM shops WHERE number = 1', 'DELETE FROM shops WHERE number = 0'],
] as const;

describe.each(RACES)('a default that is %s', (_, sets, takes) => {
  test('is deleted by nobody meanwhile', async () => {
    const outcomes = [];
    for (const { database, connect } of [
      { database: native, connect: () => native.connect() },
      { database: emulated, connect: () => proxy.connect(emulated.name) },
    ]) {
      const observer = await database.connect();
      await observer.query(ROWS);
      const [setting, taking] = [await connect(), await connect()];
      const [waiter, blocker] = [await pidOf(taking), await pidOf(setting)];
      await setting.query('BEGIN');
      await setting.query(sets);
      const taken = taking.query(takes).then(
        ({ rowCount }) => rowCount,
        ({ code, message }) => `${code} ${message}`,
      );
      await untilBlockedBy(observer, waiter, blocker);
      await setting.query('COMMIT');
      outcomes.push([await taken, (await observer.query({ text: LEFT, rowMode: 'array' })).rows]);
      await Promise.all([setting, taking, observer].map((client) => client.end()));
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});

test('a default that is gone is named, as natively', async () => {
  const outcomes = [];
  for (const { database, connect } of [
    { database: native, connect: () => native.connect() },
    { database: emulated, connect: () => proxy.connect(emulated.name) },
  ]) {
    const [observer, setting] = [await database.connect(), await connect()];
    await observer.query(ROWS);
    const [waiter, blocker] = [await pidOf(setting), await pidOf(observer)];
    await observer.query('BEGIN');
    await observer.query('DELETE FROM users WHERE id = 0');
    const set = setting
      .query('DELETE FROM users WHERE id = 1')
      .catch(({ code, message }) => `${code} ${message}`);
    const other = await database.connect();
    await untilBlockedBy(other, waiter, blocker);
    await observer.query('COMMIT');
    outcomes.push(await set);
    await Promise.all([setting, other, observer].map((client) => client.end()));
  }
  expect(outcomes[0]).toContain('23503');
  expect(outcomes[1]).toEqual(outcomes[0]);
});
