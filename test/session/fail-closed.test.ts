/** Ways in which a DELETE could slip past, each met once: it cascades or is refused, and never leaves an orphan. */
import type pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import {
  bind,
  describePortal,
  execute,
  message,
  parse,
  query,
  run,
  sync,
} from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';

const database = useDatabase();
const proxy = useProxy();

const SCHEMA = `
  DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s;
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int CONSTRAINT fk REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (1, 1), (2, 2)`;

let client: pg.Client;
let other: pg.Client;
beforeEach(async () => {
  [client, other] = await Promise.all([proxy.connect(database.name), proxy.connect(database.name)]);
  await client.query(SCHEMA);
  await other.query('SET search_path = s');
});

const orphans = async (child = 'users.org', parent = 'orgs.id') => {
  const [table, column] = child.split('.');
  const [referenced, key] = parent.split('.');
  const { rows } = await client.query(
    `SELECT c::text FROM s.${table} c WHERE NOT EXISTS (SELECT FROM s.${referenced} p WHERE p.${key} = c.${column})`,
  );
  return rows;
};
/** Of the orgs and of the users. */
const idsLeft = async () => {
  const ids = (table: string) => `(SELECT string_agg(id::text, ' ' ORDER BY id) FROM s.${table})`;
  const { rows } = await client.query({ text: `SELECT ${ids('orgs')}, ${ids('users')}`, rowMode: 'array' });
  return rows[0];
};
const refused = (text: string, name: string) =>
  expect(client.query(text)).rejects.toMatchObject({ code: '0A000', detail: expect.stringContaining(name) });

describe('what a name means is asked again', () => {
  test('when another session has made the table anew', async () => {
    await client.query('DELETE FROM orgs WHERE id = 9');
    await other.query(SCHEMA);
    await client.query('DELETE FROM orgs WHERE id = 1');
    expect(await orphans()).toEqual([]);
  });

  test('when another session has made a table that there was not', async () => {
    await client.query('DROP TABLE users, orgs');
    await expect(client.query('DELETE FROM orgs')).rejects.toMatchObject({ code: '42P01' });
    await other.query(SCHEMA);
    await client.query('DELETE FROM orgs WHERE id = 1');
    expect(await orphans()).toEqual([]);
  });

  test('after a name was found to mean another table', async () => {
    await client.query('DELETE FROM orgs WHERE id = 9');
    await client.query('SELECT 2 AS id INTO TEMP orgs');
    expect((await client.query('DELETE FROM orgs')).rowCount).toBe(1);
    expect(await orphans()).toEqual([]);
  });
});

describe('one string', () => {
  test.each([
    'SET pgcascade.mode = on; DELETE FROM orgs WHERE id = 1',
    'RESET ALL; DELETE FROM s.orgs WHERE id = 1',
  ])('that switches cascades on again cascades: %s', async (text) => {
    await client.query('SET pgcascade.mode = off');
    await client.query(text);
    expect(await idsLeft()).toEqual(['2', '2']);
  });

  test('that ends the transaction in which cascades were off cascades after its end', async () => {
    await client.query('BEGIN; SET LOCAL pgcascade.mode = off');
    await client.query('COMMIT; DELETE FROM orgs WHERE id = 1');
    expect(await idsLeft()).toEqual(['2', '2']);
  });

  test('that gives a key to the proxy cascades', async () => {
    await client.query('ALTER TABLE users ALTER CONSTRAINT fk ENFORCED');
    await client.query('ALTER TABLE users ALTER CONSTRAINT fk NOT ENFORCED; DELETE FROM orgs WHERE id = 1');
    expect(await idsLeft()).toEqual(['2', '2']);
  });

  test('that sets the search_path by a function cascades where the path now leads', async () => {
    await other.query('CREATE SCHEMA t; CREATE TABLE t.orgs (id int); INSERT INTO t.orgs VALUES (1)');
    await client.query(
      `SET search_path = t; SELECT set_config('search_path', 's', false); DELETE FROM orgs WHERE id = 1`,
    );
    expect(await idsLeft()).toEqual(['2', '2']);
    await other.query('DROP SCHEMA t CASCADE');
  });
});

describe('a graph', () => {
  test('is known to have changed twice in one transaction', async () => {
    await client.query('BEGIN');
    for (const id of [1, 2]) {
      await client.query(`ALTER TABLE users ALTER CONSTRAINT fk ${id === 1 ? '' : 'NOT '}ENFORCED`);
      await client.query(`DELETE FROM orgs WHERE id = ${id}`);
    }
    await client.query('COMMIT');
    expect(await orphans()).toEqual([]);
  });

  test('is known to have changed by a rule beside another one', async () => {
    await client.query('CREATE RULE i AS ON INSERT TO orgs DO ALSO NOTHING');
    await client.query('DELETE FROM orgs WHERE id = 9');
    await client.query('CREATE RULE d AS ON DELETE TO orgs DO INSTEAD NOTHING');
    await refused('DELETE FROM orgs WHERE id = 1', 'PGC_RELATION');
  });

  test.each([
    ['of the target', 'CREATE TABLE c (id int PRIMARY KEY REFERENCES p1 ON DELETE CASCADE)', 'c'],
    [
      'of a child',
      'CREATE TABLE c (id int PRIMARY KEY REFERENCES p ON DELETE CASCADE) PARTITION BY LIST (id); CREATE TABLE c1 PARTITION OF c DEFAULT',
      'c1',
    ],
  ])('with a key to a partition %s, behind one that the server cascades, is followed', async (_, child, leaf) => {
    await client.query(`CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT;
      ${child}; CREATE TABLE g (id int REFERENCES ${leaf} ON DELETE CASCADE NOT ENFORCED);
      INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2); INSERT INTO g VALUES (1), (2)`);
    await client.query('DELETE FROM p WHERE id = 1');
    expect((await client.query('SELECT p.id, c.id AS c, g.id AS g FROM p, c, g')).rows).toEqual([
      { id: 2, c: 2, g: 2 },
    ]);
  });

  test('with a key to a partition does not let its table be truncated', async () => {
    await client.query(`CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT;
      CREATE TABLE g (id int REFERENCES p1 ON DELETE CASCADE NOT ENFORCED)`);
    await expect(client.query('TRUNCATE p')).rejects.toMatchObject({
      code: '0A000',
      detail: 'Table "g" references "p1".',
    });
  });
});

test('operators that a session puts before the server’s own change nothing for another one', async () => {
  await client.query(`CREATE SCHEMA IF NOT EXISTS hostile; SET search_path = hostile, s, pg_catalog;
    CREATE OR REPLACE FUNCTION hostile.eq(oid, oid) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
    CREATE OR REPLACE FUNCTION hostile.eq(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
    CREATE OR REPLACE FUNCTION hostile.get(jsonb, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'true' $$;
    CREATE OPERATOR hostile.= (LEFTARG = oid, RIGHTARG = oid, PROCEDURE = hostile.eq);
    CREATE OPERATOR hostile.->> (LEFTARG = jsonb, RIGHTARG = text, PROCEDURE = hostile.get)`);
  await client.query('DELETE FROM s.orgs WHERE id = 9');
  await other.query('DELETE FROM orgs WHERE id = 2');
  expect(await orphans()).toEqual([]);
  await client.query('DROP SCHEMA hostile CASCADE');
});

test('a primary key of a type whose operators are not on the search_path tells rows apart', async () => {
  await client.query(`CREATE SCHEMA IF NOT EXISTS x; CREATE EXTENSION IF NOT EXISTS citext SCHEMA x;
    CREATE TABLE c (k x.citext PRIMARY KEY, a int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED,
                    b int REFERENCES orgs ON DELETE SET NULL NOT ENFORCED);
    INSERT INTO c VALUES ('one', 1, 2), ('two', 2, 2), ('three', NULL, 1)`);
  await client.query('DELETE FROM orgs');
  expect((await client.query('SELECT k::text, a, b FROM c')).rows).toEqual([
    { k: 'three', a: null, b: null },
  ]);
});

test('EXECUTE that switches cascades on again is noticed', async () => {
  await client.query(`PREPARE m(text) AS SELECT set_config('pgcascade.mode', $1, false)`);
  await client.query('SET pgcascade.mode = off');
  await client.query('DELETE FROM orgs WHERE id = 9');
  await client.query(`EXECUTE m('on')`);
  await client.query('DELETE FROM orgs WHERE id = 1');
  expect(await orphans()).toEqual([]);
});

describe('a key that only the configuration knows', () => {
  const configured = useProxy({
    cascade: {
      relations: [{ name: 'late', from: 's.notes(org)', to: 's.orgs(id)', on_delete: 'cascade' }],
    },
  });

  test('stops a DELETE until its column has been given its name, and is followed then', async () => {
    const session = await configured.connect(database.name);
    await session.query('SET search_path = s');
    await session.query('CREATE TABLE notes (id int, old int); INSERT INTO notes VALUES (1, 1), (2, 2)');
    await expect(session.query('DELETE FROM orgs WHERE id = 9')).rejects.toMatchObject({
      code: '0A000',
      detail: expect.stringContaining(
        'there is no column org in table s.notes. pgcascade reports PGC_RELATION_BROKEN',
      ),
    });
    await session.query('ALTER TABLE notes RENAME COLUMN old TO org');
    await session.query('DELETE FROM orgs WHERE id = 1');
    expect(await orphans('notes.org')).toEqual([]);
  });
});

test('a name beyond ASCII in an encoding that nobody can read here is refused', async () => {
  await client.query('ALTER TABLE orgs RENAME TO größe');
  await client.query(`SET client_encoding = 'JOHAB'`);
  await refused('DELETE FROM größe', 'PGC_ENCODING');
});

test('a WITH that changes rows the cascade knows nothing of goes with the DELETE', async () => {
  await client.query('CREATE TABLE log (org int)');
  await client.query(
    'WITH l AS (INSERT INTO log VALUES (1) RETURNING org) DELETE FROM orgs USING l WHERE id = l.org',
  );
  expect(await idsLeft()).toEqual(['2', '2']);
});

test('a WITH that changes rows of a child is refused', () =>
  refused(
    'WITH l AS (UPDATE users SET org = 1 RETURNING org) DELETE FROM orgs USING l WHERE orgs.id = l.org',
    'PGC_FORM',
  ));

test('a DELETE that two SET keys follow, one of a table and one of its partition, is refused', async () => {
  await client.query(`DROP TABLE users, orgs CASCADE; CREATE TABLE orgs (id int PRIMARY KEY); INSERT INTO orgs VALUES (1);
    CREATE TABLE users (id int, org int REFERENCES orgs ON DELETE SET NULL NOT ENFORCED) PARTITION BY LIST (id);
    CREATE TABLE users_1 PARTITION OF users DEFAULT; INSERT INTO users VALUES (1, 1);
    ALTER TABLE users_1 ADD FOREIGN KEY (org) REFERENCES orgs ON DELETE SET NULL NOT ENFORCED`);
  await refused('DELETE FROM orgs WHERE id = 1', 'PGC_OVERLAP');
  expect(await idsLeft()).toEqual(['1', '1']);
});

test('a column may be called returning', async () => {
  const { rows } = await client.query('DELETE FROM orgs WHERE id = 1 RETURNING id AS returning');
  expect([rows, await orphans()]).toEqual([[{ returning: 1 }], []]);
});

describe('sent in one write', () => {
  const raw = async () => {
    const session = await RawClient.login(proxy, { database: database.name });
    await session.ask(query('SET search_path = s'));
    await session.ask(parse('DELETE FROM orgs WHERE id = 9'), sync);
    return session;
  };

  test('a setting of one unit does not hold for the next', async () => {
    const session = await raw();
    const unit = [
      run('SELECT 1'),
      run('SET LOCAL pgcascade.mode = off'),
      run('DELETE FROM orgs WHERE id = 9'),
      sync,
    ];
    session.send(...unit, run('DELETE FROM orgs WHERE id = 1'), sync);
    await session.untilReady(2);
    expect(await orphans()).toEqual([]);
  });

  test('a DELETE after a change of encoding, with a byte that was no text before it, cascades', async () => {
    const session = await raw();
    const text = Buffer.from(`DELETE FROM orgs WHERE id = 1 OR '\xe9' = ''\0`, 'latin1');
    session.send(query(`SET client_encoding = 'LATIN1'`), message('Q', text));
    expect(readable(await session.untilReady(2)).join()).toContain('DELETE 1');
    expect(await orphans()).toEqual([]);
  });

  test('a name prepared after DEALLOCATE ALL is not forgotten with the others', async () => {
    const session = await raw();
    const text = 'DELETE FROM orgs WHERE id = 1 RETURNING id';
    session.send(query('DEALLOCATE ALL'), parse(text, 'p'), sync);
    await session.untilReady(2);
    const answer = readable(await session.ask(bind({ statement: 'p' }), describePortal(), execute(), sync));
    expect(answer.filter((each) => /^[TDC] /.test(each)).map((each) => each.replace(/@\d+/, ''))).toEqual([
      'T id:23,4,-1/0.1',
      'D 1',
      'C DELETE 1',
    ]);
  });
});
