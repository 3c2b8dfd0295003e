/** Code that runs with a batch, by whatever way it is reached, must not change which rows the WHERE finds: else the batches are refused, and nothing is gone. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const database = useDatabase('');
const proxy = useProxy({ cascade: { batch_rows: 7 } });

let direct: pg.Client;
beforeAll(async () => {
  direct = await database.connect();
});
afterAll(() => direct?.end());

/** A function for triggers. */
const code = (name: string, body: string) =>
  `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE found boolean; BEGIN ${body}; RETURN NEW; END $$;`;
const onDelete = (body: string) =>
  `${code('fired', body)} CREATE TRIGGER fired AFTER DELETE ON posted FOR EACH ROW EXECUTE FUNCTION fired();`;
const COUNTS = 'UPDATE topics SET replies = replies - 1 WHERE id = OLD.topic';
const ADDS = 'INSERT INTO topics SELECT coalesce(max(id), 0) + 100, 20 FROM topics';
const WRITES = `CREATE FUNCTION writes(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
  UPDATE topics SET replies = replies - 1; RETURN true; END $$;`;

/** @param more is made before the triggers that the rows do not fire */
async function make(more: string, key = 'id int PRIMARY KEY, replies int') {
  await direct.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public;
    CREATE TABLE topics (${key}); CREATE TABLE log (id int, what text); CREATE TABLE others (id int);
    CREATE TABLE posted (id int PRIMARY KEY, topic int REFERENCES topics ON DELETE CASCADE, pinned int REFERENCES topics ON DELETE SET NULL);
    INSERT INTO topics (${key.includes('base') ? 'base' : 'id'}, replies) VALUES (1, 20), (2, 20);
    INSERT INTO posted SELECT i, 1 + i % 2 FROM generate_series(1, 40) AS i; ${more}`);
}
const left = async () =>
  (
    await direct.query(
      'SELECT (SELECT count(*) FROM topics)::int AS topics, (SELECT count(*) FROM posted)::int AS posted',
    )
  ).rows[0];
async function remove(condition: string) {
  const client = await proxy.connect(database.name);
  try {
    // A session that has changed the schema knows it anew.
    await client.query('BEGIN; ALTER TABLE topics RENAME TO t; ALTER TABLE t RENAME TO topics; COMMIT');
    const { rowCount } = await client.query(`DELETE FROM topics WHERE ${condition}`);
    return rowCount;
  } finally {
    await client.end();
  }
}

/** What more there is, and the key of topics where it is another one. */
type Case = readonly [string, string, string?];

const REFUSED: readonly (readonly [condition: string, cases: readonly Case[]])[] = [
  [
    'id > 0',
    [
      [
        'adds rows by a function that it calls',
        `CREATE FUNCTION adds() RETURNS void LANGUAGE sql AS '${ADDS}'; ${onDelete('PERFORM adds()')}`,
      ],
      [
        'adds rows by a procedure in a procedure',
        `CREATE PROCEDURE adds() LANGUAGE sql AS '${ADDS}'; CREATE PROCEDURE calls() LANGUAGE plpgsql AS 'BEGIN CALL adds(); END'; ${onDelete('CALL calls()')}`,
      ],
      [
        'adds rows by a function whose body was parsed',
        `CREATE FUNCTION adds() RETURNS void LANGUAGE sql BEGIN ATOMIC ${ADDS}; END; ${onDelete('PERFORM adds()')}`,
      ],
      [
        'adds rows by a view',
        `CREATE VIEW seen AS SELECT * FROM topics; ${onDelete('INSERT INTO seen VALUES (OLD.id + 100, 20)')}`,
      ],
      [
        'adds rows by a rule',
        `CREATE RULE more AS ON INSERT TO log DO ALSO INSERT INTO topics VALUES (NEW.id + 100, 20); ${onDelete('INSERT INTO log VALUES (OLD.id)')}`,
      ],
      [
        "adds rows by another table's trigger",
        `${code('goes_on', ADDS)} CREATE TRIGGER goes_on AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION goes_on();
         ${onDelete('INSERT INTO log VALUES (OLD.id)')}`,
      ],
      [
        'adds rows by a trigger below a key of the server',
        `CREATE TABLE heads (id int PRIMARY KEY); CREATE TABLE tails (head int REFERENCES heads ON DELETE CASCADE);
         ${code('goes_on', ADDS)} CREATE TRIGGER goes_on AFTER DELETE ON tails FOR EACH ROW EXECUTE FUNCTION goes_on();
         INSERT INTO heads VALUES (1); INSERT INTO tails VALUES (1); ${onDelete('DELETE FROM heads')}`,
      ],
      [
        'adds rows by a text',
        onDelete("EXECUTE 'INSERT INTO to' || 'pics VALUES ($1, 20)' USING OLD.id + 100"),
      ],
      ['adds rows after a comment', onDelete('INSERT INTO /* more */ topics VALUES (OLD.id + 100, 20)')],
      [
        'adds rows after one comment of several',
        onDelete('INSERT INTO /* more */ topics VALUES (OLD.id + 100, 20) /* that is all */'),
      ],
      [
        'adds rows after a comment, and before another kind',
        onDelete('INSERT INTO -- more\n topics VALUES (OLD.id + 100, 20) /* that is all */'),
      ],
      [
        'adds rows after a comment in a comment',
        onDelete('INSERT INTO /* /* a */ b */ topics VALUES (OLD.id + 100, 20)'),
      ],
      [
        'adds rows to an escaped name',
        onDelete(String.raw`INSERT INTO U&"\0074opics" VALUES (OLD.id + 100, 20)`),
      ],
      ['changes the key', onDelete('UPDATE topics SET replies = 1, id = id + 100 WHERE id = OLD.topic')],
      [
        'changes it in a list',
        onDelete('UPDATE topics SET (replies, id) = (1, id + 100) WHERE id = OLD.topic'),
      ],
      [
        'changes it by another trigger',
        `${code('moves', 'NEW.id := NEW.id + 100')} CREATE TRIGGER moves BEFORE UPDATE ON topics FOR EACH ROW EXECUTE FUNCTION moves(); ${onDelete(COUNTS)}`,
      ],
      [
        'changes what it follows from',
        onDelete('UPDATE topics SET base = base + 100'),
        'id int GENERATED ALWAYS AS (base) STORED PRIMARY KEY, base int, replies int',
      ],
      [
        'changes what it references',
        `CREATE TABLE keys (id int PRIMARY KEY); INSERT INTO keys VALUES (1), (2);
         ALTER TABLE topics ADD FOREIGN KEY (id) REFERENCES keys ON UPDATE CASCADE; ${onDelete('UPDATE keys SET id = id + 100')}`,
      ],
    ],
  ],
  [
    'replies > 19',
    [
      [
        'changes rows by an operator',
        `${WRITES} CREATE FUNCTION tells(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT writes($1)';
         CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = tells); ${onDelete('found := OLD.id === 1')}`,
      ],
      [
        'changes rows by the CHECK of a domain',
        `${WRITES} CREATE DOMAIN counted AS int CHECK (writes(VALUE)); ALTER TABLE log ADD counted counted; ${onDelete('INSERT INTO log VALUES (OLD.id, NULL, 1)')}`,
      ],
      [
        'changes rows by a cast',
        `${WRITES} CREATE TYPE told AS (done boolean); CREATE FUNCTION tell(int) RETURNS told LANGUAGE sql AS 'SELECT ROW(writes($1))::told';
         CREATE CAST (int AS told) WITH FUNCTION tell(int) AS ASSIGNMENT; ALTER TABLE log ADD told told; ${onDelete("INSERT INTO log VALUES (OLD.id, '', 1)")}`,
      ],
      [
        'changes rows by a default',
        `${WRITES} ALTER TABLE log ADD done boolean DEFAULT NULL, ALTER done SET DEFAULT writes(1); ${onDelete('INSERT INTO log (id) VALUES (OLD.id)')}`,
      ],
      [
        'changes rows by the CHECK of a table',
        `${WRITES} ALTER TABLE log ADD CHECK (writes(id)); ${onDelete('INSERT INTO log VALUES (OLD.id)')}`,
      ],
      ['changes a setting by an assignment', onDelete("found := set_config('a.b', 'c', true) IS NULL")],
    ],
  ],
  [
    'id IN (SELECT id FROM kept)',
    [
      [
        'refreshes a materialized view',
        `INSERT INTO others VALUES (1), (2); CREATE MATERIALIZED VIEW kept AS SELECT id FROM others; ${onDelete('REFRESH MATERIALIZED VIEW kept')}`,
      ],
    ],
  ],
];

describe.each(REFUSED)('a WHERE %s is refused beside a trigger that', (condition, cases) => {
  test.each(cases)('%s', async (_, more = '', key = undefined) => {
    await make(more, key);
    await expect(remove(condition)).rejects.toMatchObject({ detail: 'pgcascade reports PGC_BATCH.' });
    expect((await left()).posted).toBe(40);
  });
});

test('a WHERE is refused beside a CHECK that changes rows, which a key that is set to NULL has evaluated', async () => {
  await make(`UPDATE posted SET pinned = 2; ${WRITES} ALTER TABLE posted ADD CHECK (writes(id)) NOT VALID`);
  await expect(remove('replies > 19')).rejects.toMatchObject({ detail: 'pgcascade reports PGC_BATCH.' });
});

describe('is taken beside a trigger that', () => {
  test.each([
    ['counts', 'id > 0', onDelete(COUNTS)],
    [
      'counts, where another one notes the time',
      'id > 0',
      `ALTER TABLE topics ADD seen timestamptz; ${code('notes', 'NEW.seen := now()')} CREATE TRIGGER notes BEFORE UPDATE ON topics FOR EACH ROW EXECUTE FUNCTION notes(); ${onDelete(COUNTS)}`,
    ],
    [
      'counts in a function that it calls',
      'id > 0',
      `CREATE FUNCTION counts(int) RETURNS void LANGUAGE sql AS 'UPDATE topics SET replies = replies - 1 WHERE id = $1'; ${onDelete('PERFORM counts(OLD.topic)')}`,
    ],
    ['keeps a log', 'replies > 19', onDelete('INSERT INTO log VALUES (OLD.id, gen_random_uuid()::text)')],
    [
      'keeps a log that has a trigger',
      'replies > 19',
      `${code('goes_on', 'INSERT INTO others VALUES (NEW.id)')} CREATE TRIGGER goes_on AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION goes_on();
       ${onDelete('INSERT INTO log VALUES (OLD.id)')}`,
    ],
    [
      'asks which it is, where other tables have triggers that change rows',
      'replies > 19',
      `${code('other', ADDS)} CREATE TRIGGER other AFTER INSERT ON others FOR EACH ROW EXECUTE FUNCTION other(); ${onDelete("IF TG_OP = 'UPDATE' THEN RAISE 'never'; END IF")}`,
    ],
  ])('%s', async (_, condition, more) => {
    await make(more);
    expect(await remove(condition)).toBe(2);
    expect(await left()).toEqual({ topics: 0, posted: 0 });
  });
});
