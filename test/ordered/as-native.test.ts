/** `cascade.strategy: ordered`: what is answered and left is what enforced keys answer and leave. */
import { describe, expect, test } from 'vitest';
import { asNativeOn } from '../session/as-native.js';
import { useTwin } from '../session/twin.js';
import { bind, describePortal, execute, parse, query, run, sync } from '../support/frontend-messages.js';
import type { RawMessage } from '../support/raw-client.js';

const twin = useTwin({ cascade: { strategy: 'ordered' }, graph: { refresh: '0s' } });
const native = asNativeOn(twin);

describe('a string is answered as natively', () => {
  test.each([
    ['two levels and SET NULL', 'DELETE FROM orgs WHERE id = 1'],
    ['all rows of a level', 'DELETE FROM users WHERE org_id < 4'],
    ['no row', 'DELETE FROM orgs WHERE id = 77'],
    ['NO ACTION', 'DELETE FROM orgs WHERE id = 4'],
    ['RESTRICT, a level below', 'DELETE FROM orgs WHERE id = 5'],
    ['all rows, some of which are kept by a rule', 'DELETE FROM orgs'],
    [
      'conditions that read what is deleted',
      'DELETE FROM orgs WHERE id IN (SELECT org_id FROM users WHERE id < 30)',
    ],
    ['an alias, and comments', '/* a */ DELETE FROM orgs AS o WHERE o.id = 2 -- b'],
    [
      'USING, by which a row is found several times',
      'DELETE FROM orgs USING users WHERE users.org_id = orgs.id AND orgs.id < 3',
    ],
    ['a WITH before it', 'WITH w AS (SELECT 1 AS id) DELETE FROM orgs USING w WHERE orgs.id = w.id'],
    ['an unknown column', 'DELETE FROM orgs WHERE nonsense = 1'],
    ['an error in its conditions', 'DELETE FROM orgs WHERE id = 1 / (id - 1)'],
    ['a table that is not there', 'DELETE FROM nothing WHERE id = 1'],
    ['a block', 'BEGIN', 'DELETE FROM orgs WHERE id = 1', 'SELECT count(*) FROM posts', 'ROLLBACK'],
    ['a block that is committed', 'BEGIN', 'DELETE FROM orgs WHERE id = 1', 'COMMIT'],
    ['an error in a block', 'BEGIN', 'DELETE FROM orgs WHERE id = 5', 'SELECT 1', 'COMMIT'],
    [
      'a savepoint',
      'BEGIN',
      'SAVEPOINT a',
      'DELETE FROM orgs WHERE id = 5',
      'ROLLBACK TO a',
      'DELETE FROM orgs WHERE id = 1',
      'COMMIT',
    ],
    ['a failed block', 'BEGIN', 'SELECT 1 / 0', 'DELETE FROM orgs WHERE id = 1', 'ROLLBACK'],
    ['a read-only transaction', 'BEGIN READ ONLY', 'DELETE FROM orgs WHERE id = 1', 'ROLLBACK'],
    [
      'several statements',
      'DELETE FROM users WHERE id = 11; DELETE FROM orgs WHERE id = 2; SELECT count(*) FROM posts',
    ],
    [
      'several statements, one of which fails',
      'DELETE FROM orgs WHERE id = 1; DELETE FROM orgs WHERE id = 5; SELECT 1',
    ],
    ['a block in a string', 'BEGIN; DELETE FROM orgs WHERE id = 1; COMMIT; DELETE FROM orgs WHERE id = 5'],
    [
      'one after the other',
      'DELETE FROM orgs WHERE id = 1',
      'SELECT count(*) FROM posts',
      'DELETE FROM orgs WHERE id = 2',
    ],
  ])('%s', async (_, ...texts) => {
    await native.queries(...texts);
  });
});

describe('RETURNING in a string is answered as natively', () => {
  test.each([
    ['all columns', 'DELETE FROM orgs WHERE id < 3 RETURNING *'],
    ['no row', 'DELETE FROM orgs WHERE id = 77 RETURNING *'],
    [
      'expressions, of other rows too',
      'DELETE FROM orgs o WHERE id = 1 RETURNING upper(name) AS n, (SELECT count(*) FROM users WHERE org_id = o.id), 7',
    ],
    ['a comment after it', 'DELETE FROM orgs WHERE id = 1 RETURNING id -- no more'],
    [
      'a WITH',
      'WITH w AS (SELECT 2 AS id) DELETE FROM orgs WHERE id IN (SELECT id FROM w) RETURNING id, name',
    ],
    ['a rule that is broken', 'DELETE FROM orgs WHERE id > 3 RETURNING id'],
    ['an unknown column', 'DELETE FROM orgs WHERE id = 1 RETURNING nonsense'],
    ['an aggregate', 'DELETE FROM orgs WHERE id = 1 RETURNING count(*)'],
    ['an error in it', 'DELETE FROM orgs WHERE id = 1 RETURNING 1 / (id - 1)'],
    ['among others', 'SELECT 1; DELETE FROM orgs WHERE id = 1 RETURNING id; DELETE FROM orgs WHERE id = 2'],
    [
      'in a block',
      'BEGIN',
      'DELETE FROM orgs WHERE id = 1 RETURNING id',
      'DELETE FROM orgs WHERE id = 5 RETURNING id',
      'ROLLBACK',
    ],
  ])('%s', async (_, ...texts) => {
    await native.queries(...texts);
  });
});

describe('keys of every kind are followed as natively', () => {
  test.each([
    [
      'a self-reference',
      `CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS);
        INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, NULL), (6, 6)`,
      ['DELETE FROM t WHERE id = 2', 'DELETE FROM t WHERE id IN (1, 6) RETURNING *'],
    ],
    [
      'a cycle of two tables',
      `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE KEYS);
        INSERT INTO a VALUES (1, 3), (2, 1), (3, 2), (4, 4); INSERT INTO b VALUES (1, 1), (2, 2), (3, 3), (4, 4);
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE KEYS`,
      ['DELETE FROM a WHERE id = 1'],
    ],
    [
      'a key of two columns, MATCH FULL, and a table without a primary key',
      `CREATE TABLE p (x int, y text, PRIMARY KEY (x, y));
        CREATE TABLE c (x int, y text, FOREIGN KEY (x, y) REFERENCES p MATCH FULL ON DELETE CASCADE KEYS);
        CREATE TABLE n (x int, y text, FOREIGN KEY (x, y) REFERENCES p ON DELETE SET NULL (y) KEYS);
        INSERT INTO p VALUES (1, 'a'), (1, 'b'), (2, 'a'); INSERT INTO c SELECT * FROM p; INSERT INTO c VALUES (NULL, NULL);
        INSERT INTO n SELECT * FROM p`,
      ['DELETE FROM p WHERE x = 1', `DELETE FROM p WHERE y = 'a'`],
    ],
    [
      'SET DEFAULT, to what there is and to what there is not',
      `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (0), (1), (2);
        CREATE TABLE c (id int, p int DEFAULT 0 REFERENCES p ON DELETE SET DEFAULT KEYS); INSERT INTO c VALUES (1, 1), (2, 2)`,
      ['DELETE FROM p WHERE id = 1', 'DELETE FROM p WHERE id = 0', 'DELETE FROM p'],
    ],
    [
      'partitions on both sides',
      `CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT;
        CREATE TABLE c (id int, p int REFERENCES p ON DELETE CASCADE KEYS) PARTITION BY LIST (id);
        CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 PARTITION OF c DEFAULT;
        INSERT INTO p VALUES (1), (2), (11); INSERT INTO c VALUES (1, 1), (2, 1), (1, 11), (3, 2)`,
      ['DELETE FROM p WHERE id = 1', 'DELETE FROM p2', 'DELETE FROM p1 RETURNING id'],
    ],
    [
      'NO ACTION on what goes with the row by another key',
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
        CREATE TABLE d (c int REFERENCES c ON DELETE CASCADE KEYS, p int REFERENCES p KEYS);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2); INSERT INTO d VALUES (1, 1), (2, 1)`,
      ['DELETE FROM p WHERE id = 2', 'DELETE FROM p WHERE id = 1', 'DELETE FROM p'],
    ],
  ])('%s', async (_, schema, texts) => {
    await native.inSchema(schema, ...texts);
  });
});

describe('the extended protocol is answered as natively', () => {
  const DELETE = 'DELETE FROM orgs WHERE id = $1';
  const again = (value: string) => [bind({ statement: 's', values: [value] }), execute()];
  const prepared = (text: string, ...values: (string | null)[]) => [
    parse(text, 's'),
    bind({ statement: 's', values }),
    describePortal(),
    execute(),
  ];
  const either = 'DELETE FROM users WHERE org_id = $1 OR $2::text IS NULL AND org_id < 3';
  test.each([
    ['parameters', [prepared(DELETE, '1')]],
    ['a value that is none', [prepared(DELETE, 'x')]],
    ['a rule that is broken', [prepared(DELETE, '5')]],
    ['a null', [prepared(either, '1', null)]],
    ['a second Bind', [prepared(DELETE, '1'), again('2'), again('2')]],
    ['several in a pipeline', [[...prepared(DELETE, '1'), ...again('2')]]],
    ['several in a pipeline, the last of which fails', [[...prepared(DELETE, '1'), ...again('5')]]],
    ['what comes after a failure in a pipeline', [[...prepared(DELETE, '5'), ...again('1')]]],
    ['a portal that is executed twice', [[...prepared(DELETE, '1'), execute()]]],
    [
      'other statements in the pipeline',
      [[run('SELECT 1'), ...prepared(DELETE, '1'), run('SELECT count(*) FROM users')]],
    ],
  ])('%s', async (_, units) => {
    await twin.expectAsNative(async (client) => {
      const answers: RawMessage[] = [];
      for (const unit of units) answers.push(...(await client.ask(...unit, sync)));
      return answers;
    });
  });

  test('RETURNING in binary', async () => {
    const formats = [[1], [0, 1], [1, 0], [0], []];
    for (const [i, resultFormats] of formats.entries())
      await twin.expectAsNative((client) =>
        client.ask(
          parse('DELETE FROM users WHERE id = $1 RETURNING id, org_id'),
          withFormats(bind({ values: [`${11 + 10 * i}`] }), resultFormats),
          describePortal(),
          execute(),
          sync,
        ),
      );
  });

  test('in a block', async () => {
    await twin.expectAsNative(async (client) => [
      ...(await client.ask(query('BEGIN'))),
      ...(await client.ask(...prepared(DELETE, '1'), sync)),
      ...(await client.ask(...again('5'), sync)),
      ...(await client.ask(query('ROLLBACK'))),
    ]);
  });
});

/** The Bind with other result formats: the last of its parts. */
function withFormats(bound: Buffer, formats: readonly number[]): Buffer {
  const counts = Buffer.alloc(2 + 2 * formats.length);
  counts.writeInt16BE(formats.length, 0);
  formats.forEach((format, i) => {
    counts.writeInt16BE(format, 2 + 2 * i);
  });
  // pg-protocol writes one format for all.
  const whole = Buffer.concat([bound.subarray(0, bound.length - 4), counts]);
  whole.writeUInt32BE(whole.length - 1, 1);
  return whole;
}

test("the statement that is prepared is the client's own", async () => {
  const client = await twin.connect();
  await client.ask(parse('DELETE FROM orgs WHERE id = $1', 's'), sync);
  const answers = await client.ask(query("SELECT statement FROM pg_prepared_statements WHERE name = 's'"));
  expect(String(answers.find(({ type }) => type === 'D')?.body)).toContain('DELETE FROM orgs WHERE id = $1');
});
