/** Several executions under one Sync, and portals that wait: one transaction, each statement seeing those before it. */

import { describe, test, vi } from 'vitest';
import {
  bind,
  closePortal,
  describePortal,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { sameOn } = useSides();

const WITH = 'WITH d AS (DELETE FROM orgs WHERE id = 2 RETURNING id) SELECT * FROM d';
const MERGE =
  'MERGE INTO orgs USING users ON org_id = orgs.id AND users.id = 31 WHEN MATCHED THEN DELETE RETURNING users.*';
const pipelines: readonly (readonly [string, ...string[]])[] = [
  ['every command', 'TRUNCATE alone', 'DELETE FROM orgs WHERE id = 1', WITH, MERGE],
  [
    'a rule that stops the third',
    'DELETE FROM orgs WHERE id = 1',
    WITH,
    'DELETE FROM orgs WHERE id = 5',
    'DELETE FROM orgs WHERE id = 3',
  ],
  [
    'COPY',
    'COPY (DELETE FROM orgs WHERE id = 1 RETURNING id) TO STDOUT',
    'COPY (DELETE FROM orgs WHERE id = 2 RETURNING id) TO STDOUT',
  ],
  [
    'a block with a savepoint',
    'BEGIN',
    'DELETE FROM orgs WHERE id = 1',
    'SAVEPOINT a',
    'DELETE FROM orgs WHERE id = 2',
    'ROLLBACK TO a',
    'COMMIT',
  ],
  [
    'an error rolled back to',
    'BEGIN',
    'SAVEPOINT a',
    'DELETE FROM orgs WHERE id = 4',
    'ROLLBACK TO a',
    'DELETE FROM orgs WHERE id = 2',
    'COMMIT',
  ],
  [
    'a table that is made',
    'CREATE TABLE extra (id int REFERENCES orgs ON DELETE CASCADE KEYS)',
    'INSERT INTO extra VALUES (1), (2)',
    'DELETE FROM orgs WHERE id = 1',
    'ALTER TABLE extra RENAME TO more',
    'DELETE FROM orgs WHERE id = 2',
  ],
  [
    'a temporary table that shadows',
    'CREATE TEMP TABLE orgs AS SELECT 1 AS id',
    'DELETE FROM orgs WHERE id = 1',
    'DROP TABLE orgs',
    'DELETE FROM orgs WHERE id = 1',
  ],
  [
    'another search_path',
    'SET LOCAL search_path = public',
    'DELETE FROM s.orgs WHERE id = 1',
    'DELETE FROM orgs',
    'SELECT 1',
  ],
  [
    'a view',
    'CREATE VIEW v AS SELECT id AS i FROM orgs',
    'DELETE FROM v WHERE i = 1 RETURNING *',
    'DELETE FROM v WHERE i = 2',
  ],
  [
    'the switch',
    'SET pgcascade.mode = on',
    'DELETE FROM orgs WHERE id = 1',
    'RESET pgcascade.mode',
    'DELETE FROM orgs WHERE id = 2',
  ],
];
describe('10 a pipeline with', () => {
  test.each(pipelines)('%s, under one Sync', (_, ...texts) =>
    sameOn(ALL, SAMPLE, async ({ client, ddl }) => {
      const answers = await client.ask(...texts.map((text) => run(ddl(text))), sync);
      return answers.filter(({ type }) => type !== 'S');
    }));

  test.each(pipelines)('%s, under a Sync each', (_, ...texts) =>
    sameOn(ALL, SAMPLE, async ({ client, ddl }) => {
      client.send(...texts.flatMap((text) => [run(ddl(text)), sync]));
      const answers = await client.untilReady(texts.length);
      return answers.filter(({ type }) => type !== 'S');
    }));

  test('Flush between its executions', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => {
      client.send(run('DELETE FROM orgs WHERE id = 1'), flush);
      const answers = await client.until('C');
      client.send(run('DELETE FROM orgs WHERE id = 4'), flush);
      answers.push(...(await client.until('E')));
      client.send(run('DELETE FROM orgs WHERE id = 2'), sync);
      return [...answers, ...(await client.untilReady())];
    }));
});

describe('50 a portal', () => {
  const some = parse('DELETE FROM orgs WHERE id <= 3 RETURNING id', 'a');
  const one = parse('DELETE FROM orgs WHERE id = $1 RETURNING id', 'b');

  test('that is suspended goes on after others', () =>
    sameOn(ALL, SAMPLE, ({ client }) =>
      client.ask(
        some,
        bind({ statement: 'a', portal: 'x' }),
        execute('x', 1),
        run('DELETE FROM users WHERE id = 51'),
        execute('x', 1),
        run('SELECT count(*) FROM posts'),
        execute('x', 0),
        sync,
      ),
    ));

  test('may be executed in another order than it was bound in', () =>
    sameOn(ALL, SAMPLE, ({ client }) =>
      client.ask(
        one,
        bind({ statement: 'b', portal: 'x', values: ['1'] }),
        bind({ statement: 'b', portal: 'y', values: ['2'] }),
        describePortal('y'),
        execute('y'),
        execute('x'),
        closePortal('x'),
        sync,
      ),
    ));

  test('lasts as long as its transaction', () =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await askAll(client, ['BEGIN'])),
      ...(await client.ask(some, bind({ statement: 'a', portal: 'x' }), execute('x', 1), sync)),
      ...(await client.ask(query('SELECT count(*) FROM users'))),
      ...(await client.ask(execute('x', 1), sync)),
      ...(await client.ask(query('DELETE FROM orgs WHERE id = 2'))),
      ...(await client.ask(execute('x', 5), sync)),
      ...(await client.ask(query('COMMIT'))),
      ...(await client.ask(execute('x', 5), sync)),
    ]));
});
