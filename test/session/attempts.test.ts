/** Statements that are sent more than once after the client's back: nothing of it is to be seen. */
import { describe, expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { bind, describePortal, execute, parse, query, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

const twin = useTwin();
const asNative = asNativeOn(twin);
const DELETE = parse('DELETE FROM orgs WHERE id = $1');

/** Org 4 is held by NO ACTION, org 5 by a RESTRICT below; the others go. */
describe.each([
  [1, 2],
  [1, 4],
  [4, 1],
  [5, 4],
])('two portals of one unit, orgs %i and %i', (first, second) => {
  const bound = [
    DELETE,
    bind({ portal: 'a', values: [String(first)] }),
    bind({ portal: 'b', values: [String(second)] }),
  ];
  test('are executed as natively', () =>
    twin.expectAsNative((client) => client.ask(...bound, execute('a'), execute('b'), sync)));

  test('so they are beside a portal of another statement', () =>
    twin.expectAsNative((client) =>
      client.ask(
        ...bound,
        parse('SELECT 7', 's'),
        bind({ portal: 'c', statement: 's' }),
        execute('a'),
        execute('c'),
        sync,
      ),
    ));
});

test('a DELETE after another execution of the same unit is executed as natively', () =>
  twin.expectAsNative((client) =>
    client.ask(
      parse('SELECT 1'),
      bind(),
      execute(),
      DELETE,
      bind({ values: ['5'] }),
      describePortal(),
      execute(),
      sync,
    ),
  ));

test.each(['1', '4', '5'])('a trigger below org %s is heard once', (id) =>
  asNative.inSchema(
    `CREATE TABLE orgs (id int PRIMARY KEY);
     CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE KEYS);
     CREATE TABLE held (id int PRIMARY KEY, u int REFERENCES users KEYS);
     INSERT INTO orgs VALUES (1), (4), (5); INSERT INTO users VALUES (10, 1), (40, 4), (50, 5);
     INSERT INTO held VALUES (1, 40);
     CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', OLD.id; RETURN OLD; END';
     CREATE TRIGGER says BEFORE DELETE ON orgs FOR EACH ROW EXECUTE FUNCTION says()`,
    `DELETE FROM orgs WHERE id = ${id}`,
    'SELECT 1',
  ));

describe('with keys that the server enforces too', () => {
  const database = useDatabase(
    `CREATE TABLE orgs (id int PRIMARY KEY); CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs);
     INSERT INTO orgs SELECT generate_series(1, 9); INSERT INTO users SELECT i, i FROM generate_series(1, 9) AS i`,
  );
  const proxy = useProxy({ cascade: { overrides: [{ match: 'public.*.*', on_delete: 'cascade' }] } });
  const connect = () => RawClient.login(proxy, { database: database.name });

  test('queries that are sent without waiting have one answer each', async () => {
    const client = await connect();
    await client.told(query('BEGIN'));
    client.send(
      query('COMMIT'),
      query('DELETE FROM orgs WHERE id = 1'),
      query('SELECT 7'),
      query('SELECT 8'),
    );
    const told = readable(await client.untilReady(4));
    const tags = told.filter((each) => /^[CEZ]/.test(each)).map((each) => each.slice(0, 10));
    expect(tags).toEqual(['C COMMIT', 'Z I', 'C DELETE 1', 'Z I', 'C SELECT 1', 'Z I', 'C SELECT 1', 'Z I']);
  });

  test('a savepoint of the client called pgcascade stays the client’s', async () => {
    const client = await connect();
    await client.told(query('BEGIN; DELETE FROM users WHERE id = 2; SAVEPOINT pgcascade'));
    await client.told(query('DELETE FROM orgs WHERE id = 3'));
    const told = await client.told(query('ROLLBACK TO pgcascade; SELECT count(*) FROM orgs WHERE id = 3'));
    expect(told).toContain('D 1');
    await client.told(query('ROLLBACK'));
  });
});
