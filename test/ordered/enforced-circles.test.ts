/** `cascade.strategy: ordered` where keys that the server enforces lead in a circle, by which no row can go before the other. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const CASCADE = 'ON DELETE CASCADE';
/** Of each schema the keys that close the circle: what is natively declared, and what is enforced on the server behind the proxy. */
const CIRCLES = [
  ['an override to RESTRICT', 'b_on_restrict', 'ON DELETE RESTRICT', ''],
  ['no override at all', 'b_own', '', ''],
  ['an action of its own', 'b_own', CASCADE, CASCADE],
] as const;

const schema = (key: string, cascade: string, closing: string) => `
  CREATE TABLE a (id int PRIMARY KEY, b int);
  CREATE TABLE b (id int PRIMARY KEY, a int CONSTRAINT a_on_cascade REFERENCES a ${cascade});
  CREATE TABLE c (id int PRIMARY KEY, b int CONSTRAINT c_on_cascade REFERENCES b ${cascade});
  ALTER TABLE a ADD CONSTRAINT ${key} FOREIGN KEY (b) REFERENCES b ${closing};
  INSERT INTO a VALUES (1, NULL), (2, NULL); INSERT INTO b VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2);
  UPDATE a SET b = id`;

const proxy = useProxy({
  cascade: {
    strategy: 'ordered',
    overrides: [
      { match: '*.*.*_on_cascade', on_delete: 'cascade' },
      { match: '*.*.*_on_restrict', on_delete: 'restrict' },
    ],
  },
});

describe.each(CIRCLES)('a circle that a key closes with %s', (_, key, natively, enforced) => {
  const native = useDatabase(schema(key, CASCADE, natively));
  const database = useDatabase(schema(key, '', enforced));

  test.each([
    'DELETE FROM a WHERE id = 1',
    'DELETE FROM b WHERE id = 2',
    'DELETE FROM a',
  ])('%s', async (sql) => {
    const outcomes = [];
    for (const client of [await native.connect(), await proxy.connect(database.name)]) {
      await client.query('BEGIN');
      const said = await client.query(sql).then(
        ({ rowCount }) => rowCount,
        ({ code }) => code,
      );
      const left = said === '23001' || said === '23503' ? [] : (await client.query('SELECT id FROM c')).rows;
      outcomes.push([said, left]);
      await client.query('ROLLBACK');
      await client.end();
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});
