/** What the schema itself does about a DELETE: triggers that keep rows or change others, and rules that rewrite it. */
import { describe, expect, test, vi } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { type Kind, UNENFORCED, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn, on } = useSides();
/** Where the server enforces a key it refuses to leave a row without its parent. */
const kept = (schema: string, ...texts: readonly string[]) => sameOn(UNENFORCED, schema, texts);

const FAMILY = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY REFERENCES p ON DELETE CASCADE KEYS);
  CREATE TABLE g (id int REFERENCES c ON DELETE CASCADE KEYS); INSERT INTO p VALUES (1), (2); INSERT INTO c TABLE p; INSERT INTO g TABLE p;`;
const trigger = (on: string, when: string, body: string) =>
  `CREATE FUNCTION f_${on}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
   CREATE TRIGGER t ${when} ON ${on} FOR EACH ROW EXECUTE FUNCTION f_${on}();`;
const KEEPS = 'RETURN CASE WHEN OLD.id = 1 THEN NULL ELSE OLD END;';
describe('42 a BEFORE DELETE trigger that returns NULL', () => {
  test.each(['p', 'c', 'g'])('on %s keeps what it keeps natively', (table) =>
    kept(
      FAMILY + trigger(table, 'BEFORE DELETE', KEEPS),
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p RETURNING id',
    ));

  test('of a statement keeps nothing', () =>
    same(
      `${FAMILY} CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER t BEFORE DELETE ON p FOR EACH STATEMENT EXECUTE FUNCTION f()`,
      'DELETE FROM p WHERE id = 1',
    ));

  test('that is disabled keeps nothing', () =>
    same(
      `${FAMILY} ${trigger('c', 'BEFORE DELETE', KEEPS)} ALTER TABLE c DISABLE TRIGGER t`,
      'DELETE FROM p WHERE id = 1',
    ));

  test('on a row under SET NULL is asked of the UPDATE', () =>
    kept(
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int REFERENCES p ON DELETE SET NULL KEYS);
      INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 1); ${trigger('c', 'BEFORE UPDATE', KEEPS)}`,
      'DELETE FROM p WHERE id = 1',
    ));

  test.each(['NO ACTION', 'RESTRICT'])('leaves a row that %s counts', (action) =>
    kept(
      `${FAMILY} CREATE TABLE r (id int REFERENCES c ON DELETE ${action} KEYS); INSERT INTO r VALUES (1), (2); ${trigger('c', 'BEFORE DELETE', KEEPS)}`,
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
    ));

  test('below a partitioned table', () =>
    kept(
      `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int REFERENCES p ON DELETE CASCADE KEYS) PARTITION BY LIST (id);
      CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1); CREATE TABLE c2 PARTITION OF c DEFAULT; INSERT INTO p VALUES (1), (2); INSERT INTO c TABLE p;
      ${trigger('c1', 'BEFORE DELETE', KEEPS)}`,
      'DELETE FROM p',
    ));

  test('on a child whose key is enforced, with an override, makes the server refuse', async () => {
    const { client } = await on('overridden', FAMILY + trigger('c', 'BEFORE DELETE', KEEPS));
    expect((await client.told(query('DELETE FROM p WHERE id = 1')))[0]).toMatch(/C=23503.* n=k1_cascade/);
    expect(await client.told(query('DELETE FROM p WHERE id = 2'))).toEqual(['C DELETE 1', 'Z I']);
  });

  test('on a row of a cycle stops the statement: the rows of a cycle are found before they are deleted', async () => {
    const tree = `CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t ON DELETE CASCADE KEYS); INSERT INTO t VALUES (2, NULL), (1, 2), (3, 1), (4, NULL), (5, 4);
      ${trigger('t', 'BEFORE DELETE', KEEPS)}`;
    const told = async (kind: Kind) => {
      const { client } = await on(kind, tree);
      const answers = [
        await client.told(query('DELETE FROM t WHERE id = 4')),
        await client.told(query('DELETE FROM t WHERE id = 2')),
      ];
      return [
        ...answers.map(([first]) => first?.replace(/ .*D=/, ' ').replace(/ H=.*/, '')),
        await client.told(query(`SELECT string_agg(id::text, ' ') FROM t`)),
      ].flat();
    };
    expect(await told('native')).toMatchObject([
      'C DELETE 1',
      'C DELETE 1',
      {},
      'D 1 3',
      'C SELECT 1',
      'Z I',
    ]);
    expect(await told('emulated')).toMatchObject([
      'C DELETE 1',
      'E pgcascade reports PGC_KEPT.',
      {},
      'D 2 1 3',
      'C SELECT 1',
      'Z I',
    ]);
  });
});

describe('42 other triggers', () => {
  const say = (on: string) =>
    trigger(on, 'AFTER DELETE', `INSERT INTO s.log VALUES (TG_TABLE_NAME || OLD.id); RETURN NULL;`);
  test('AFTER DELETE are fired for each row that goes', () =>
    same(`${FAMILY} CREATE TABLE log (what text); ${['p', 'c', 'g'].map(say).join('')}`, 'DELETE FROM p'));
  const counting = `${FAMILY} CREATE TABLE log (what text); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO s.log SELECT TG_TABLE_NAME || count(*) FROM gone; RETURN NULL; END $$;
    ${['p', 'c', 'g'].map((t) => `CREATE TRIGGER t AFTER DELETE ON ${t} REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION f();`).join('')}`;
  test('of statements are fired once for every table that rows go from', () =>
    same(counting, 'DELETE FROM p WHERE id = 2', 'DELETE FROM p'));
  test('of statements are fired below, too, where no row went; natively not', async () => {
    const fired = async (kind: Kind) => {
      const { client } = await on(kind, counting);
      await client.ask(query('DELETE FROM p WHERE id = 3'));
      return (await client.told(query(`SELECT string_agg(what, ' ' ORDER BY what) FROM log`)))[1];
    };
    expect(await fired('native')).toBe('D p0');
    expect(await fired('emulated')).toBe('D c0 g0 p0');
  });
  test.each([
    ['INSERT INTO s.c VALUES (9)', 'C DELETE 1', 'D 9'],
    ['DELETE FROM s.c WHERE id = 1', 'E C=27000', 'D 1'],
    ['UPDATE s.c SET note = 1 WHERE id = 1', 'E C=27000', 'D 1'],
  ])('that change children before the cascade does get in its way, and natively not: %s', async (what, told, left) => {
    const schema = `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int DEFAULT 1 REFERENCES p ON DELETE CASCADE KEYS, note int);
      INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1); ${trigger('p', 'BEFORE DELETE', `${what}; RETURN OLD;`)}`;
    const outcome = async (kind: Kind) => {
      const { client } = await on(kind, schema);
      return [
        ...(await client.told(query('DELETE FROM p'))).slice(0, 1),
        ...(await client.told(query('SELECT id FROM c'))).slice(1, 2),
      ];
    };
    expect(await outcome('native')).toEqual(['C DELETE 1', 'C SELECT 0']);
    const [first = '', second] = await outcome('emulated');
    expect([first.slice(0, told.length), second]).toEqual([told, left]);
  });
  test('of an UPDATE OF one column are fired for all keys of the table, once; natively for each by itself', async () => {
    const schema = `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2); CREATE TABLE log (what text);
      CREATE TABLE c (id int, a int REFERENCES p ON DELETE SET NULL KEYS, b int REFERENCES p ON DELETE SET NULL KEYS); INSERT INTO c VALUES (1, 1, 2), (2, 1, 1);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO s.log VALUES (TG_NAME || OLD.id); RETURN NULL; END $$;
      CREATE TRIGGER a AFTER UPDATE OF a ON c FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER b AFTER UPDATE OF b ON c FOR EACH ROW EXECUTE FUNCTION f()`;
    const fired = async (kind: Kind) => {
      const { client } = await on(kind, schema);
      await client.ask(query('DELETE FROM p WHERE id = 1'));
      return (await client.told(query(`SELECT string_agg(what, ' ' ORDER BY what) FROM log`)))[1];
    };
    expect(await fired('native')).toBe('D a1 a2 b2');
    expect(await fired('emulated')).toBe('D a1 a2 b1 b2');
  });
  test('that fail undo all', () =>
    same(
      `${FAMILY} ${trigger('g', 'AFTER DELETE', `RAISE EXCEPTION 'not %', OLD.id; RETURN NULL;`)}`,
      'DELETE FROM p WHERE id = 1',
    ));
});

describe('67 a parent with rules', () => {
  const ruled = (rule: string) => `${FAMILY} CREATE TABLE log (id int); CREATE RULE r AS ON ${rule}`;
  test.each([
    ['DO ALSO', 'DELETE TO p DO ALSO INSERT INTO s.log VALUES (OLD.id)'],
    ['DO INSTEAD NOTHING', 'DELETE TO p DO INSTEAD NOTHING'],
    ['DO INSTEAD another DELETE', 'DELETE TO p DO INSTEAD DELETE FROM s.c WHERE id = OLD.id'],
    ['under a condition', 'DELETE TO p WHERE OLD.id = 1 DO INSTEAD NOTHING'],
    ['DO INSTEAD NOTHING on a child', 'DELETE TO c DO INSTEAD NOTHING'],
  ])('ON DELETE, %s, is refused, and loses nothing', async (_, rule) => {
    const { client } = await on('emulated', ruled(rule));
    expect((await client.told(query('DELETE FROM p WHERE id = 1')))[0]).toMatch(
      /C=0A000 D=.*PGC_RELATION.* H=\w/,
    );
    expect(await client.told(query('SELECT count(*) FROM p JOIN c USING (id) JOIN g USING (id)'))).toContain(
      'D 2',
    );
  });

  test('for other commands cascades', () =>
    same(ruled('INSERT TO p DO ALSO NOTHING'), 'DELETE FROM p WHERE id = 1'));
});

describe('68 a parent that is no table is as the server says:', () => {
  test.each([
    [
      'a foreign table',
      'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER v FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (id int) SERVER v',
      'DELETE FROM f',
      'DROP FOREIGN DATA WRAPPER w CASCADE',
    ],
    [
      'a materialised view',
      'CREATE MATERIALIZED VIEW m AS TABLE p',
      'DELETE FROM m',
      'DELETE FROM m WHERE id = 1 RETURNING *',
    ],
    [
      'a system catalog',
      '',
      'DELETE FROM pg_catalog.pg_class WHERE false',
      'DELETE FROM pg_database WHERE oid = 0 RETURNING oid',
    ],
    ['a view of the catalogs', '', 'DELETE FROM pg_tables', 'DELETE FROM information_schema.tables'],
    ['a sequence', 'CREATE SEQUENCE q', 'DELETE FROM q'],
    ['an index', 'CREATE INDEX i ON p (id)', 'DELETE FROM i'],
    ['a type', 'CREATE TYPE y AS (id int)', 'DELETE FROM y'],
    ['a function', '', 'DELETE FROM generate_series(1, 2)', 'DELETE FROM generate_series'],
    ['a name of a WITH', '', 'WITH w AS (SELECT 1 AS id) DELETE FROM w'],
    ['a name of a WITH that is a table’s too', '', 'WITH p AS (SELECT 1 AS id) DELETE FROM p WHERE id = 1'],
    ['nothing at all', '', 'DELETE FROM nothing', 'DELETE FROM nothing.at_all', 'DELETE FROM a.b.c.d'],
    ['of another database', '', 'DELETE FROM other.s.p'],
  ])('%s', (_, schema, ...texts) => same(`${FAMILY} ${schema}`, ...texts));
});
