/** What `cascade.strategy: ordered` keeps of a statement's keys has an end. */
import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const database = useDatabase(`
  CREATE TABLE large (k text PRIMARY KEY);
  CREATE TABLE small (k text REFERENCES large ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO large SELECT repeat('x', 200000) || i FROM generate_series(1, 400) AS i`);
const proxy = useProxy({ cascade: { strategy: 'ordered' }, graph: { refresh: '1h' } });

test.each([
  'DELETE FROM large',
  'DELETE FROM large RETURNING 1',
])('%s, whose keys take too much room, is refused, and nothing is deleted', async (text) => {
  const client = await proxy.connect(database.name);
  const refused = client.query(text);
  await expect(refused).rejects.toMatchObject({
    code: '54000',
    detail: 'pgcascade reports PGC_ORDERED_KEYS.',
  });
  const { rows } = await client.query('SELECT count(*)::int FROM large');
  expect(rows).toEqual([{ count: 400 }]);
  await client.end();
});
