/** A string that is made again, as a rule may be broken, is answered whatever another transaction has made of its names. */
import { test } from 'vitest';
import { useSides } from '../edge-cases/sides.js';
import { query } from '../support/frontend-messages.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

// Each attempt asks for the state of the catalog.
const { sameOn } = useSides({ graph: { refresh: '0s' } });

const SCHEMA = `
  CREATE TABLE s.p (id int PRIMARY KEY);
  CREATE TABLE s.c (p_id int CONSTRAINT c_no_action REFERENCES s.p KEYS);
  INSERT INTO s.p SELECT generate_series(1, 4); INSERT INTO s.c VALUES (1);
  CREATE SCHEMA a`;
/** A table that hides s.p, and a key, which changes the graph: all names are looked up again. */
const MEANWHILE = `
  CREATE TABLE a.p AS SELECT generate_series(1, 4) AS id;
  CREATE TABLE a.q (id int PRIMARY KEY);
  CREATE TABLE a.r (id int CONSTRAINT r_cascade REFERENCES a.q ON DELETE CASCADE KEYS)`;

test('a string goes on statement by statement where a name in it came to hide another table', () =>
  sameOn(['native', 'emulated'], SCHEMA, async ({ client, direct, ddl }) => {
    const other = await direct();
    const pid = await pidOf(client);
    await client.ask(query('SET search_path = a, s'));
    await other.query('BEGIN; SELECT FROM s.p WHERE id = 1 FOR UPDATE');
    const answers = client.ask(query('DELETE FROM s.p WHERE id = 1; DELETE FROM p WHERE id = 2'));
    await untilSession(other, pid, WAITS_FOR_LOCK);
    await other.query(ddl(MEANWHILE));
    await other.query('COMMIT');
    const again = query('DELETE FROM s.p WHERE id = 3; DELETE FROM p WHERE id = 2');
    return [...(await answers), ...(await client.ask(again)), ...(await client.ask(query('SELECT 1')))];
  }));
