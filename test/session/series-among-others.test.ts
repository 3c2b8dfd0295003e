/** Many DELETEs in one go while other sessions work, on keys that the server enforces too: as natively, and without waiting. */
import { describe, expect, test, vi } from 'vitest';
import { ALL, type Kind, type Side, useSides } from '../edge-cases/sides.js';
import { flush, parse, query, runPrepared, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, type RawMessage } from '../support/raw-client.js';
import { untilSession } from '../support/server-sessions.js';
import { useTap } from '../support/tap.js';

vi.setConfig({ testTimeout: 20_000 });
const { on, sameOn } = useSides();
const tap = useTap();
const tapped = useProxy({
  cascade: { overrides: [{ match: 's.*.*', on_delete: 'cascade' }] },
  get upstream() {
    return tap.url;
  },
});

/** Here the server waits for a transaction that adds a child, and then refuses the DELETE of its parent. */
const GUARDED: readonly Kind[] = ['native', 'overridden'];
const SCHEMA = `
  SET search_path = s;
  CREATE TABLE s.p (id int PRIMARY KEY, a text);
  CREATE TABLE s.c (id int PRIMARY KEY, p_id int CONSTRAINT c_cascade REFERENCES s.p ON DELETE CASCADE KEYS);
  INSERT INTO s.p SELECT i, i FROM generate_series(1, 50) i;
  INSERT INTO s.c SELECT i, i FROM generate_series(1, 50) i;`;
const prepared = parse('DELETE FROM s.p WHERE id = $1', 's', [23]);
const series = (...ids: readonly number[]) => ids.map((id) => runPrepared('s', [`${id}`]));
const TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

test('in a block an execution under a savepoint is waited for once', async () => {
  const { database } = await on('overridden', SCHEMA);
  const client = await RawClient.login(tapped, { database });
  await client.ask(query('BEGIN; SET LOCAL search_path = s'));
  await client.ask(prepared, ...series(0), sync);
  tap.reset();
  const told = await client.told(...series(...TEN), sync);
  expect(told.filter((each) => each === 'C DELETE 1')).toHaveLength(TEN.length);
  expect(tap.count('RELEASE SAVEPOINT')).toBe(TEN.length);
  // The catalog may have to be asked whether it is still the same.
  expect(tap.count('H\0\0\0\x04')).toBeLessThanOrEqual(TEN.length + 1);
});

/** Another transaction adds a child of a row that is being deleted. */
async function withChild({ client, direct }: Side, id: number, messages: readonly Buffer[]) {
  const other = await direct();
  const pid = client.greeting.find(({ type }) => type === 'K')?.body.readInt32BE(0) ?? 0;
  await other.query(`BEGIN; INSERT INTO s.c VALUES (99, ${id})`);
  const answers = client.ask(...messages);
  await untilSession(other, pid, `wait_event_type = 'Lock'`);
  await other.query('COMMIT');
  return answers;
}

describe('a child that another session adds meanwhile goes too', () => {
  test.each(TEN.slice(0, 3))('in a block, of row %i', (id) =>
    sameOn(GUARDED, SCHEMA, async (side) => {
      const answers: RawMessage[] = [...(await side.client.ask(query('BEGIN'), prepared, sync))];
      answers.push(...(await side.client.untilReady()));
      answers.push(...(await withChild(side, id, [...series(...TEN), sync])));
      return [...answers, ...(await side.client.ask(query('COMMIT')))];
    }));

  test('of the first row, in a transaction of their own', () =>
    sameOn(GUARDED, SCHEMA, async (side) => {
      const answers: RawMessage[] = [...(await side.client.ask(prepared, sync))];
      return [...answers, ...(await withChild(side, 1, [...series(...TEN), sync]))];
    }));

  test('and an error after it is the error of the block', () =>
    sameOn(GUARDED, SCHEMA, async (side) => {
      const wrong = runPrepared('s', ['no number']);
      const answers: RawMessage[] = [...(await side.client.ask(query('BEGIN')))];
      answers.push(...(await side.client.ask(prepared, sync)));
      answers.push(...(await withChild(side, 2, [...series(1, 2, 3), wrong, ...series(4, 5), sync])));
      answers.push(...(await side.client.ask(...series(6), sync)));
      return [...answers, ...(await side.client.ask(query('ROLLBACK')))];
    }));
});

test('a table that another session renames stays the same one until the series has ended', () =>
  sameOn(ALL, SCHEMA, async ({ client, direct }) => {
    const [other, watcher] = [await direct(), await direct()];
    const { rows } = await other.query('SELECT pg_backend_pid() AS pid');
    client.send(prepared, ...series(1), flush);
    const answers: RawMessage[] = [...(await client.until('C'))];
    const renamed = other.query('ALTER TABLE s.p RENAME TO q');
    await untilSession(watcher, rows[0].pid, `wait_event_type = 'Lock'`);
    answers.push(...(await client.ask(...series(2, 3), sync)));
    await renamed;
    answers.push(...(await client.ask(...series(6), sync)));
    await other.query('ALTER TABLE s.q RENAME TO p');
    return [...answers, ...(await client.ask(...series(7), sync))];
  }));
