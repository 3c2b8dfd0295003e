/** What a block that carries out ON UPDATE has to get right beside the keys: names, settings of PL/pgSQL, and errors from within. */
import { expect, test } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const SCHEMA = `
  CREATE TABLE "T'r\\ée $$" (found int, "pgc_done" int, "pgc_c0" int, PRIMARY KEY (found, "pgc_done"),
    CONSTRAINT "Tree 'fkey\\" FOREIGN KEY (found, "pgc_c0") REFERENCES "T'r\\ée $$" ON UPDATE CASCADE KEYS);
  CREATE TABLE watched (a int, id int, up int, PRIMARY KEY (a, id),
    CONSTRAINT watched_fkey FOREIGN KEY (a, up) REFERENCES watched ON UPDATE CASCADE KEYS);
  CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.id = 3 AND NEW.a = 13 THEN RAISE 'not three'; END IF;
    IF NEW.id = 3 AND NEW.a = 14 THEN EXECUTE 'SELEC 1'; END IF;
    IF NEW.id = 3 AND NEW.a = 15 THEN RETURN NULL; END IF;
    RETURN NEW; END $$;
  CREATE TRIGGER watch BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION watch();`;
const ROWS = `
  TRUNCATE "T'r\\ée $$", watched;
  INSERT INTO "T'r\\ée $$" VALUES (1, 1, NULL), (1, 2, 1), (1, 3, 2);
  INSERT INTO watched VALUES (1, 1, NULL), (1, 2, 1), (1, 3, 2), (1, 4, 3);`;

const twin = useGuardTwin({ cascade: { guard: 'check' } }, SCHEMA, ROWS);

test('names that are quoted, and those that the block has itself', () =>
  twin.queries(
    `UPDATE "T'r\\ée $$" SET found = 2 WHERE "pgc_done" = 1`,
    `UPDATE "T'r\\ée $$" SET "pgc_done" = "pgc_done" + 10 RETURNING *`,
  ));

test('names beyond ASCII, where the client speaks another encoding', () =>
  twin.asNative(async (client) => {
    const text = Buffer.from(`UPDATE "T'r\\\xe9e $$" SET found = 2 WHERE "pgc_done" = 1\0`, 'latin1');
    const head = Buffer.from('Q\0\0\0\0', 'latin1');
    head.writeInt32BE(text.length + 4, 1);
    return [
      ...(await client.ask(query('SET client_encoding = latin1'))),
      ...(await client.ask(Buffer.concat([head, text]))),
      ...(await client.ask(query('RESET client_encoding'))),
    ];
  }));

test('settings of PL/pgSQL', () =>
  twin.queries(
    "SET plpgsql.extra_errors = 'all'; SET plpgsql.variable_conflict = 'error'; SET standard_conforming_strings = off",
    'UPDATE watched SET a = 2 WHERE id = 1',
    "RESET ALL; SET search_path = ''; UPDATE public.watched SET a = 3 WHERE id = 1",
  ));

test('a trigger that refuses, fails, or keeps a row', () =>
  twin.queries(
    'UPDATE watched SET a = 13 WHERE id = 1',
    'UPDATE watched SET a = 14 WHERE id = 1',
    'UPDATE watched SET a = 12 WHERE id = 1',
  ));

test('an error from within says what the trigger was doing, and nothing of the block', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await expect(client.query('UPDATE watched SET a = 13 WHERE id = 1')).rejects.toMatchObject({
    message: 'not three',
    where: 'PL/pgSQL function watch() line 2 at RAISE',
  });
  await expect(client.query('UPDATE watched SET a = 14 WHERE id = 1')).rejects.toMatchObject({
    internalQuery: 'SELEC 1',
    where: 'PL/pgSQL function watch() line 3 at EXECUTE',
  });
});

test('a role without the language is refused by the server', async () => {
  const client = await twin.proxy.connect(twin.emulated.database.name);
  await client.query('BEGIN; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; CREATE ROLE mute_circles');
  await client.query('GRANT ALL ON watched TO mute_circles; SET LOCAL ROLE mute_circles');
  await expect(client.query('UPDATE watched SET a = 2 WHERE id = 1')).rejects.toMatchObject({
    code: '42501',
    message: 'permission denied for language plpgsql',
  });
  await client.query('ROLLBACK');
});
