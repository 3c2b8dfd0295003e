/**
 * A schema that stands before the server's own in the search_path, with operators, functions, types and catalogs of the names
 * that expanded statements and questions use. Each of its operators and functions fails where it is called: none is.
 */
import type pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { useSides } from '../edge-cases/sides.js';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

vi.setConfig({ testTimeout: 60_000 });

const OPERATORS = '= <> < > <= >= || ~~ ~* & + - -> ->> @>'.split(' ');
const TYPES =
  'bool,int2,int4,int8,oid,tid,xid,text,varchar,bpchar,name,numeric,"char",json,jsonb,regclass,_text,_int2,_oid,_tid';
const FUNCTIONS =
  `array_agg array_to_json bool_and bool_or cardinality concat concat_ws convert_to count current_database
  current_setting encode format generate_series json_agg json_build_object jsonb_array_elements_text jsonb_typeof max md5 min
  pg_backend_pid pg_get_viewdef quote_ident quote_literal regexp_replace row_number set_config string_agg to_char to_json
  to_jsonb to_regclass unnest timezone pg_postmaster_start_time lower length text int4 int8 oid numeric merge_action`.split(
    /\s+/,
  );
const DOMAINS =
  'bool int2 int4 int8 oid tid text varchar bpchar name numeric "char" json jsonb regclass regnamespace'.split(
    ' ',
  );
const CATALOGS =
  'pg_class pg_namespace pg_type pg_attribute pg_constraint pg_operator pg_proc pg_trigger pg_index pg_settings'.split(
    ' ',
  );

/** Made in the schema `a`, from a session that does not have it in its search_path yet. */
const HOSTILE = `CREATE SCHEMA a;
  DO $do$
  DECLARE
    t text; f text; o text;
  BEGIN
    FOREACH t IN ARRAY string_to_array('${TYPES}', ',') LOOP
      EXECUTE format('CREATE FUNCTION a.eq(pg_catalog.%1$s, pg_catalog.%1$s) RETURNS pg_catalog.bool LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''a hostile operator was called''; END$$', t);
      FOREACH o IN ARRAY '{${OPERATORS.map((each) => `"${each}"`).join()}}'::text[] LOOP
        EXECUTE format('CREATE OPERATOR a.%2$s (LEFTARG = pg_catalog.%1$s, RIGHTARG = pg_catalog.%1$s, FUNCTION = a.eq)', t, o);
      END LOOP;
    END LOOP;
    FOREACH f IN ARRAY '{${FUNCTIONS.join()}}'::text[] LOOP
      EXECUTE format('CREATE FUNCTION a.%I() RETURNS pg_catalog.text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''a hostile function was called''; END$$', f);
      FOREACH t IN ARRAY string_to_array('${TYPES}', ',') LOOP
        EXECUTE format('CREATE FUNCTION a.%I(pg_catalog.%s) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''a hostile function was called''; END$$', f, t);
        EXECUTE format('CREATE FUNCTION a.%I(pg_catalog.%2$s, pg_catalog.%2$s) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION ''a hostile function was called''; END$$', f, t);
      END LOOP;
    END LOOP;
  END $do$;
  ${DOMAINS.map((name) => `CREATE DOMAIN a.${name} AS pg_catalog.text CHECK (false);`).join(' ')}
  ${CATALOGS.map((name) => `CREATE TABLE a.${name} ();`).join(' ')}`;
const FIRST = 'SET search_path = a, s, pg_catalog';

const { same } = useSides();

/** What is deleted, without an operator that is found by name. */
const id = (value: number) => `id OPERATOR(pg_catalog.=) ${value}`;

describe('nothing of a hostile schema is called', () => {
  test.each<[string, string, ...string[]]>([
    [
      'by a chain, with and without an index, over several types',
      `CREATE TABLE p (id int PRIMARY KEY, word varchar(9) UNIQUE, padded char(4) UNIQUE, amount numeric UNIQUE);
       CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS); CREATE INDEX ON c (p);
       CREATE TABLE g (id int, c bigint REFERENCES c ON DELETE CASCADE KEYS);
       CREATE TABLE w (id int, word text REFERENCES p (word) ON DELETE CASCADE KEYS); CREATE INDEX ON w (word);
       CREATE TABLE x (id int, padded varchar(4) REFERENCES p (padded) ON DELETE SET NULL KEYS);
       CREATE TABLE y (id int, amount int REFERENCES p (amount) ON DELETE CASCADE KEYS);
       INSERT INTO p VALUES (1, 'a', 'a', 1), (2, 'b', 'b', 2); INSERT INTO c VALUES (1, 1), (2, 2); INSERT INTO g VALUES (1, 1), (2, 2);
       INSERT INTO w VALUES (1, 'a'), (2, 'b'); INSERT INTO x VALUES (1, 'a'), (2, 'b'); INSERT INTO y VALUES (1, 1), (2, 2)`,
      `DELETE FROM p WHERE ${id(1)}`,
      'DELETE FROM p RETURNING *',
    ],
    [
      'by a cycle, and by a row that references itself',
      `CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p ON DELETE CASCADE KEYS);
       CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
       ALTER TABLE p ADD q int; ALTER TABLE p ADD FOREIGN KEY (q) REFERENCES q ON DELETE CASCADE KEYS;
       INSERT INTO p VALUES (1, 1), (2, 1), (3, 2); INSERT INTO q VALUES (1, 3); INSERT INTO p VALUES (4, NULL, 1), (5, NULL, NULL)`,
      `DELETE FROM p WHERE ${id(1)}`,
    ],
    [
      'by a cycle with a trigger that keeps rows',
      `CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1, NULL), (2, 1), (3, 2);
       CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
       CREATE TRIGGER t BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION keep()`,
      `DELETE FROM p WHERE ${id(1)}`,
    ],
    [
      'by composite keys, and tables reached twice',
      `CREATE TABLE p (id int, k text, PRIMARY KEY (id, k));
       CREATE TABLE c (id int PRIMARY KEY, a int, b text, d int, e text, FOREIGN KEY (a, b) REFERENCES p ON DELETE CASCADE KEYS, FOREIGN KEY (d, e) REFERENCES p ON DELETE SET NULL KEYS);
       INSERT INTO p VALUES (1, 'x'), (2, 'x'); INSERT INTO c VALUES (1, 1, 'x', 2, 'x'), (2, 2, 'x', 1, 'x')`,
      `DELETE FROM p WHERE ${id(1)}`,
    ],
    [
      'by partitions and inheritance',
      `CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p DEFAULT;
       CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS) PARTITION BY LIST (id); CREATE TABLE c1 PARTITION OF c DEFAULT;
       CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE o1 (n int) INHERITS (o); CREATE TABLE r (id int REFERENCES o ON DELETE CASCADE KEYS);
       INSERT INTO p VALUES (1), (2), (12); INSERT INTO c VALUES (1), (2), (12); INSERT INTO o VALUES (1), (2); INSERT INTO o1 VALUES (1), (3); INSERT INTO r VALUES (1), (2)`,
      `DELETE FROM p1 WHERE ${id(1)}`,
      'DELETE FROM p',
      `DELETE FROM o WHERE ${id(1)}`,
    ],
    [
      'by SET NULL and SET DEFAULT, together and where the default is not there',
      `CREATE TABLE p (id int PRIMARY KEY);
       CREATE TABLE c (id int, a int DEFAULT 9 REFERENCES p ON DELETE SET DEFAULT KEYS, b int REFERENCES p ON DELETE SET NULL KEYS);
       INSERT INTO p VALUES (1), (2), (3), (9); INSERT INTO c VALUES (1, 1, 1), (2, 2, 1), (3, 3, 3)`,
      `DELETE FROM p WHERE ${id(1)}`,
      `DELETE FROM p WHERE ${id(9)}`,
      `DELETE FROM p WHERE ${id(2)}`,
    ],
    [
      'by checks, and by the queue that tells which rule is broken',
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS);
       CREATE TABLE d (id int, p int REFERENCES p KEYS, c int REFERENCES c ON DELETE CASCADE KEYS);
       CREATE TABLE e (id int, c int REFERENCES c ON DELETE RESTRICT KEYS);
       INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3); INSERT INTO d VALUES (1, 1, 1), (2, 2, 3); INSERT INTO e VALUES (3, 3)`,
      `DELETE FROM p WHERE ${id(1)}`,
      `DELETE FROM p WHERE ${id(2)}`,
      `DELETE FROM p WHERE ${id(3)}`,
      `BEGIN; DELETE FROM p WHERE ${id(2)}`,
      'ROLLBACK',
    ],
    [
      'by MERGE, a WITH, a view, EXPLAIN, COPY and PREPARE',
      `CREATE TABLE p (id int PRIMARY KEY, n int); CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS);
       CREATE VIEW v AS SELECT n, id FROM p; CREATE VIEW w AS SELECT id FROM v;
       INSERT INTO p SELECT i, i FROM generate_series(1, 9) AS i; INSERT INTO c SELECT id FROM p`,
      `MERGE INTO p USING (VALUES (1)) AS n (i) ON ${id(1)} WHEN MATCHED THEN DELETE`,
      `WITH d AS (DELETE FROM p WHERE ${id(2)} RETURNING id) SELECT id FROM d`,
      `DELETE FROM v WHERE ${id(3)}`,
      `DELETE FROM w WHERE ${id(4)} RETURNING *`,
      `COPY (DELETE FROM p WHERE ${id(5)} RETURNING id) TO STDOUT`,
      `PREPARE d AS DELETE FROM p WHERE ${id(6)}`,
      'EXECUTE d',
      `DELETE FROM p USING (VALUES (7)) AS u (x) WHERE id OPERATOR(pg_catalog.=) x`,
    ],
    [
      'by TRUNCATE',
      'CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)',
      'TRUNCATE p, c',
      'TRUNCATE p CASCADE',
    ],
  ])('%s', (_, schema, ...texts) => same(`${HOSTILE}; ${schema}`, FIRST, ...texts));
});

describe('where the configuration says what references what', () => {
  const database = useDatabase(`${HOSTILE}; CREATE SCHEMA s;
    CREATE TABLE s.p (id int PRIMARY KEY, word varchar(9) UNIQUE);
    CREATE TABLE s.c (id int PRIMARY KEY, word varchar(9)); CREATE TABLE s.i (id int PRIMARY KEY, word varchar(9)); CREATE INDEX ON s.i (word);
    CREATE TABLE s.n (id int, word text); CREATE TABLE s.u (id int, p bigint);
    CREATE TABLE s.e (id int CONSTRAINT e_fkey REFERENCES s.c)`);
  const side = (
    name: string,
    from: string,
    to: string,
    on_delete: 'cascade' | 'set null',
    unique = true,
  ) => ({
    name,
    from,
    to,
    on_delete,
    unique,
  });
  const proxy = useProxy({
    cascade: {
      overrides: [{ match: '*.*.e_fkey', on_delete: 'cascade' }],
      relations: [
        side('c', 's.c(word)', 's.p(word)', 'cascade'),
        side('i', 's.i(word)', 's.p(word)', 'cascade'),
        side('n', 's.n(word)', 's.p(word)', 'set null'),
        side('u', 's.u(p)', 's.c(id)', 'cascade'),
        side('l', 's.u(id)', 's.n(id)', 'cascade', false),
      ],
    },
  });
  const rows = async () => {
    const client = await database.connect();
    await client.query(`TRUNCATE s.p, s.c, s.i, s.n, s.u, s.e;
      INSERT INTO s.p VALUES (1, 'a'), (2, 'b'); INSERT INTO s.c VALUES (1, 'a'), (2, 'b'); INSERT INTO s.i VALUES (1, 'a'), (2, 'b');
      INSERT INTO s.n VALUES (1, 'a'), (2, 'b'); INSERT INTO s.u VALUES (1, 1), (2, 2); INSERT INTO s.e VALUES (1), (2)`);
    return client;
  };
  const left = async (client: pg.Client) => {
    const tables = ['p', 'c', 'i', 'n', 'u', 'e'];
    const lists = tables.map((t) => `(SELECT string_agg(t::text, ' ' ORDER BY id) FROM s.${t} AS t) AS ${t}`);
    return (await client.query(`SELECT ${lists.join()}`)).rows[0];
  };

  test('only that which the configuration means decides what goes', async () => {
    const direct = await rows();
    const client = await proxy.connect(database.name);
    await client.query(FIRST);
    await client.query(`DELETE FROM p WHERE ${id(1)}`);
    await client.query(`DELETE FROM n WHERE ${id(1)}`);
    expect(await left(direct)).toEqual({
      p: '(2,b)',
      c: '(2,b)',
      i: '(2,b)',
      n: '(2,b)',
      u: '(2,2)',
      e: '(2)',
    });
  });

  test('nor is any of it called where a child comes in between, and the rows are locked', async () => {
    const direct = await rows();
    const client = await proxy.connect(database.name);
    await client.query(FIRST);
    const pid = await pidOf(client);
    await direct.query('BEGIN; SELECT FROM s.c WHERE id = 1 FOR UPDATE');
    const deletion = client.query(`DELETE FROM p WHERE ${id(1)}`);
    await untilSession(await database.connect(), pid, WAITS_FOR_LOCK);
    await direct.query('INSERT INTO s.e VALUES (1); COMMIT');
    expect((await deletion).rowCount).toBe(1);
    expect(await left(direct)).toMatchObject({ c: '(2,b)', e: '(2)' });
  });
});

describe('an operator that somebody else has made in a schema of the default search_path', () => {
  const database = useDatabase(`
    CREATE TABLE parents (code varchar(9) PRIMARY KEY); CREATE TABLE children (id int, code varchar(9));
    INSERT INTO parents VALUES ('a'), ('b'); INSERT INTO children VALUES (1, 'a'), (2, 'b'); CREATE TABLE called (by name);
    CREATE FUNCTION public.any(varchar, varchar) RETURNS bool LANGUAGE sql AS 'INSERT INTO public.called VALUES (current_user); SELECT true';
    CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.any)`);
  const proxy = useProxy({
    cascade: {
      relations: [
        { name: 'r', from: 'public.children(code)', to: 'public.parents(code)', on_delete: 'cascade' },
      ],
    },
  });

  test('neither decides what goes nor runs', async () => {
    const client = await proxy.connect(database.name);
    await client.query(`DELETE FROM parents WHERE code::text = 'a'`);
    expect((await client.query('SELECT id FROM children')).rows).toEqual([{ id: 2 }]);
    expect((await client.query('SELECT FROM called')).rowCount).toBe(0);
  });
});
