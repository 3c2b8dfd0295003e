/** What comes back from a DELETE … RETURNING, at once or in portions; and cursors. */

import { describe, test, vi } from 'vitest';
import {
  bind,
  closePortal,
  describePortal,
  execute,
  message,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn } = useSides();
const ofSample = (...texts: readonly string[]) => same(SAMPLE, ...texts);

describe('12 RETURNING', () => {
  const lists = [
    '*',
    'id, id, name AS id, NULL AS id',
    `id + 1, upper(name) AS "Größe", 'it''s', name::varchar(3), $1::int`,
    'tableoid::regclass::text, orgs::text, orgs.*, s.orgs.name',
    'old.id, new.id, old.name',
    'WITH (OLD AS o, NEW AS n) o.id AS before, n.id AS after, o.name',
    '(SELECT count(*) FROM users WHERE org_id = orgs.id) AS users, (SELECT 1 WHERE false)',
    'id, (WITH "returning" AS (SELECT 1 AS id) SELECT id FROM "returning")',
    '1 / (id - 1)',
    'count(*) OVER (), rank() OVER (ORDER BY id)',
    'generate_series(1, id)',
  ];
  test.each(lists)('%s has the columns it has natively', (list) => {
    const sql = `DELETE FROM orgs WHERE id IN (1, $1::int) RETURNING ${list}`;
    return sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await askAll(client, ['BEGIN', sql.replaceAll('$1::int', '9'), 'ROLLBACK'])),
      ...(await client.ask(run(sql, ['9']), sync)),
    ]);
  });

  test('in binary, or in a format of its own for each column', () =>
    sameOn(ALL, SAMPLE, ({ client }) => {
      // No names, no parameters; three formats for results.
      const mixed = message('B', Buffer.from('0000 00000000 0003 0001 0000 0001'.replaceAll(' ', ''), 'hex'));
      const prepare = (id: number) => parse(`DELETE FROM orgs WHERE id = ${id} RETURNING id, name, big`);
      client.send(prepare(1), bind({ binary: true }), describePortal(), execute(), sync);
      client.send(prepare(2), mixed, describePortal(), execute(), sync);
      return client.untilReady(2);
    }));
});

describe('50 a portal over DELETE … RETURNING', () => {
  const portal = [parse('DELETE FROM orgs WHERE id <= 3 RETURNING id'), bind({ portal: 'p' })];
  test.each([
    ['fetched to its end', [execute('p', 2), execute('p', 2)]],
    ['fetched one at a time', [1, 1, 1, 1].map((rows) => execute('p', rows))],
    ['left in the middle', [execute('p', 1)]],
    ['closed in the middle', [execute('p', 1), closePortal('p'), execute('p', 1)]],
  ])('%s has the tags it has natively', (_, executes) =>
    sameOn(ALL, SAMPLE, ({ client }) => client.ask(...portal, describePortal('p'), ...executes, sync)));

  test('goes on after a Flush, in a transaction', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await askAll(client, ['BEGIN'])),
      ...(await client.ask(...portal, execute('p', 1), sync)),
      ...(await client.ask(query('SELECT count(*) FROM posts'))),
      ...(await client.ask(execute('p', 0), sync)),
      ...(await askAll(client, ['COMMIT'])),
    ]));
});

test.each([
  [
    '50 WHERE CURRENT OF a cursor',
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT * FROM orgs WHERE id = 2; FETCH c',
    'DELETE FROM orgs WHERE CURRENT OF c RETURNING id',
    'FETCH c',
    'COMMIT',
  ],
  [
    '50 WHERE CURRENT OF, in one string',
    'BEGIN; DECLARE c CURSOR FOR SELECT * FROM orgs WHERE id > 1 FOR UPDATE; FETCH c; DELETE FROM orgs WHERE CURRENT OF c; FETCH c; DELETE FROM orgs WHERE CURRENT OF c; COMMIT',
  ],
  [
    '50 WHERE CURRENT OF a cursor that has no row',
    'BEGIN; DECLARE c CURSOR FOR SELECT * FROM orgs WHERE id = 2',
    'DELETE FROM orgs WHERE CURRENT OF c',
    'ROLLBACK',
  ],
  [
    '50 a cursor opened before sees the children yet',
    'BEGIN; DECLARE c CURSOR FOR SELECT count(*) FROM posts',
    'DELETE FROM orgs WHERE id = 1',
    'FETCH c',
    'COMMIT',
  ],
  [
    '50 no cursor can be had of a DELETE',
    'BEGIN',
    'DECLARE c CURSOR FOR DELETE FROM orgs WHERE id = 1 RETURNING id',
    'ROLLBACK',
  ],
])('%s', (_, ...texts) => ofSample(...texts));
