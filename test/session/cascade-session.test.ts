/** What a session knows of the catalog and its settings: these may change between two statements, and must not be believed too long. */
import { describe, expect, test } from 'vitest';
import { message, parse, query, run, runPrepared, sync } from '../support/frontend-messages.js';
import { type RawClient, readable } from '../support/raw-client.js';
import { useTwin } from './twin.js';

const twin = useTwin();
const deleteOrg = 'DELETE FROM orgs WHERE id = $1';
const OFF = "SET pgcascade.mode = 'off'";
const usersOfOrg1 = '11 12';

async function tell(client: RawClient, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await client.ask(query(text));
}

describe('SET pgcascade.mode = off', () => {
  const cascades = async (client: RawClient, id: number) => {
    await client.ask(query(`DELETE FROM orgs WHERE id = ${id}`));
    return !(await twin.rowsLeft()).users?.includes(`${id}1 ${id}2`);
  };

  test('leaves the children alone, until RESET', async () => {
    const client = await twin.connect();
    await tell(client, OFF);
    expect(await cascades(client, 1)).toBe(false);
    await tell(client, 'RESET pgcascade.mode');
    expect(await cascades(client, 2)).toBe(true);
  });

  test('as SET LOCAL holds until the transaction ends', async () => {
    const client = await twin.connect();
    await tell(client, 'BEGIN', "SET LOCAL pgcascade.mode = 'off'");
    expect(await cascades(client, 1)).toBe(false);
    await tell(client, 'COMMIT');
    expect(await cascades(client, 2)).toBe(true);
  });

  test('is taken back by ROLLBACK, and by ROLLBACK TO a savepoint', async () => {
    const client = await twin.connect();
    await tell(client, 'BEGIN', OFF, 'DELETE FROM orgs WHERE id = 1', 'ROLLBACK');
    expect(await cascades(client, 1)).toBe(true);
    await tell(client, 'BEGIN', 'SAVEPOINT s', OFF, 'DELETE FROM orgs WHERE id = 3', 'ROLLBACK TO s');
    await tell(client, 'DELETE FROM orgs WHERE id = 2', 'COMMIT');
    expect((await twin.rowsLeft()).users).toBe('31 32 41 42 51 52');
  });

  test('holds for a DELETE that was prepared before', async () => {
    const client = await twin.connect();
    await client.ask(parse(deleteOrg, 'd'), runPrepared('d', ['2']), sync);
    await tell(client, OFF);
    expect(await client.told(runPrepared('d', ['1']), sync)).toEqual(['2', 'n', 'C DELETE 1', 'Z I']);
    expect((await twin.rowsLeft()).users).toContain(usersOfOrg1);
  });

  test('holds for EXECUTE of a DELETE that was prepared before, and not beyond RESET', async () => {
    const client = await twin.connect();
    await tell(client, 'PREPARE d AS DELETE FROM orgs WHERE id = $1::int', OFF);
    expect(await client.told(query('EXECUTE d (1)'))).toEqual(['C DELETE 1', 'Z I']);
    expect((await twin.rowsLeft()).users).toContain(usersOfOrg1);
    await tell(client, 'RESET pgcascade.mode');
    expect(await client.told(query('EXECUTE d (2)'))).toEqual(['C DELETE 1', 'Z I']);
    expect((await twin.rowsLeft()).users).not.toContain('21 22');
  });

  test('does not outlive RESET for a DELETE that was prepared under it', async () => {
    const client = await twin.connect();
    await tell(client, OFF);
    await client.ask(parse(deleteOrg, 'd'), sync);
    await tell(client, 'RESET pgcascade.mode');
    expect(await client.told(runPrepared('d', ['1']), sync)).toEqual(['2', 'n', 'C DELETE 1', 'Z I']);
    expect((await twin.rowsLeft()).users).not.toContain(usersOfOrg1);
  });

  test('in the pipeline of the DELETE is seen by it', async () => {
    const client = await twin.connect();
    await client.ask(run(deleteOrg, ['2']), sync);
    await client.ask(run(OFF), run(deleteOrg, ['1']), sync);
    expect((await twin.rowsLeft()).users).toContain(usersOfOrg1);
  });

  test('spelt wrongly is an error of the DELETE, not a guess', async () => {
    const client = await twin.connect();
    await tell(client, "SET pgcascade.mode = 'maybe'");
    const [error] = await client.told(query('DELETE FROM orgs WHERE id = 1'));
    expect(error).toContain('C=22023');
    expect((await twin.rowsLeft()).orgs).toBe('1 2 3 4 5');
  });
});

test('session_replication_role = replica switches cascades off, as natively', () =>
  twin.expectAsNative((client) =>
    client
      .ask(
        run(deleteOrg, ['1']),
        run("SET session_replication_role = 'replica'"),
        run(deleteOrg, ['2']),
        sync,
      )
      .then((messages) => messages.filter(({ type }) => type !== 'S')),
  ));

describe('the name of a table', () => {
  const OTHER = `CREATE SCHEMA other
    CREATE TABLE orgs (id int PRIMARY KEY)
    CREATE TABLE members (id int, org_id int REFERENCES orgs ON DELETE CASCADE ENFORCED)`;
  const makeOther = async (client: RawClient) => {
    const keys = twin.isNative(client) ? '' : 'NOT ENFORCED';
    await tell(client, OTHER.replace('ENFORCED', keys), 'INSERT INTO other.orgs VALUES (1), (2)');
    await tell(client, 'INSERT INTO other.members VALUES (1, 1), (2, 2)');
  };
  const members = (client: RawClient) => client.ask(query('SELECT id + 0 AS id FROM other.members'));

  test('means what search_path says when a prepared DELETE is executed', () =>
    twin.expectAsNative(async (client) => {
      await makeOther(client);
      const answers = await client.ask(parse(deleteOrg, 'd'), runPrepared('d', ['1']), sync);
      await tell(client, 'SET search_path = other');
      answers.push(...(await client.ask(runPrepared('d', ['1']), sync)), ...(await members(client)));
      await tell(client, 'SET search_path = public');
      answers.push(...(await client.ask(runPrepared('d', ['2']), sync)), ...(await members(client)));
      await tell(client, 'DROP SCHEMA other CASCADE');
      return answers;
    }));

  test('means what a function made of search_path', () =>
    twin.expectAsNative(async (client) => {
      await makeOther(client);
      await tell(
        client,
        'DELETE FROM orgs WHERE id = 99',
        `CREATE FUNCTION move() RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', 'other', false) $$`,
        'SELECT move()',
      );
      const answers = await client.ask(query('DELETE FROM orgs WHERE id = 1'));
      answers.push(...(await members(client)));
      await tell(client, 'DROP SCHEMA other CASCADE', 'DROP FUNCTION public.move');
      return answers;
    }));

  test('means a temporary table that shadows it', () =>
    twin.expectAsNative(async (client) => {
      await tell(client, 'DELETE FROM orgs WHERE id = 99', 'CREATE TEMP TABLE orgs AS SELECT 1 AS id');
      return client.ask(query('DELETE FROM orgs'));
    }));
});

describe('a text', () => {
  const latin1 = async () => {
    const client = await twin.connect();
    await tell(client, "SET client_encoding = 'LATIN1'");
    return client;
  };
  const text = (sql: string) => message('Q', Buffer.from(`${sql}\0`, 'latin1'));

  test('beyond ASCII in client_encoding LATIN1 cascades', () =>
    twin.expectAsNative(async (client) => {
      await tell(client, "SET client_encoding = 'LATIN1'");
      return client.ask(text("DELETE FROM orgs WHERE id = 1 AND name <> 'é'"));
    }));

  test('beyond ASCII in LATIN1 passes where it deletes from a table without keys', async () => {
    const client = await latin1();
    expect(await client.told(text("DELETE FROM alone WHERE name = 'é'"))).toEqual(['C DELETE 5', 'Z I']);
  });

  test('in ASCII cascades under every client_encoding', async () => {
    const client = await latin1();
    expect(await client.told(query('DELETE FROM orgs WHERE id = 1'))).toEqual(['C DELETE 1', 'Z I']);
    expect((await twin.rowsLeft()).users).not.toContain(usersOfOrg1);
  });

  test('beyond ASCII in UTF-8 cascades', () =>
    twin.expectAsNative((client) =>
      client.ask(query(`/* 🐘 é */ DELETE FROM orgs WHERE id = 1 AND name <> '🐘é'`)),
    ));

  test('that is no UTF-8 is the error it is natively', () =>
    twin.expectAsNative((client) => client.ask(text("DELETE FROM orgs WHERE name <> '\xff'"))));

  test('with backslashes while standard_conforming_strings is off is refused clearly', async () => {
    const client = await twin.connect();
    await tell(client, 'SET standard_conforming_strings = off');
    const answer = await client.ask(query(String.raw`DELETE FROM orgs WHERE name <> 'it\'s'`));
    expect(readable(answer)[0]).toContain('C=0A000');
  });
});
