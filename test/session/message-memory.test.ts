/** Messages that are not whole, of all clients together: they take no more than one message may. */
import { describe, expect, test, vi } from 'vitest';
import { MessageMemory } from '../../src/session/message-memory.js';
import { useDatabase } from '../support/database.js';
import { query, run, sync } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';

vi.setConfig({ testTimeout: 30_000 });

const MEBIBYTE = 1024 * 1024;
const UNCOUNTED = MEBIBYTE / 4;

describe('the memory of messages', () => {
  const keepers = () => ['small', 'large', 'late'].map((name) => ({ name, end: vi.fn() }));

  test('is taken from whoever keeps the most, and from nobody else', () => {
    const memory = new MessageMemory(10 * MEBIBYTE);
    const [small, large, late] = keepers();
    if (!small || !large || !late) throw new Error('there are three');
    memory.note(small, 3 * MEBIBYTE);
    memory.note(large, 6 * MEBIBYTE);
    memory.note(late, 2 * MEBIBYTE);
    expect([small, large, late].map(({ end }) => end.mock.calls.length)).toEqual([0, 1, 0]);
    expect(memory.total).toBe(5 * MEBIBYTE - 2 * UNCOUNTED);
  });

  test('counts what is given up, and nothing of what every session may keep', () => {
    const memory = new MessageMemory(MEBIBYTE);
    const [one, other] = keepers();
    if (!one || !other) throw new Error('there are three');
    memory.note(one, MEBIBYTE);
    memory.note(one, 0);
    for (let i = 0; i < 100; i++) memory.note(keepers()[0] ?? other, 200 * 1024);
    memory.note(other, MEBIBYTE);
    expect(memory.total).toBe(MEBIBYTE - UNCOUNTED);
    expect(other.end).not.toHaveBeenCalled();
  });
});

describe('clients with halves of messages', () => {
  const database = useDatabase();
  const proxy = useProxy({ limits: { message_bytes: '8MiB' } });
  const login = () => RawClient.login(proxy, { database: database.name });
  const message = query(`SELECT length('${'x'.repeat(6 * MEBIBYTE)}') AS length`);

  test('that declare more than the limit after what is read ahead are told so, and let go', async () => {
    const [client, locker] = [await login(), await database.connect()];
    const header = Buffer.from([0x51, 0x20, 0, 0, 0]);
    const pid = await pidOf(client);
    await locker.query('SELECT pg_advisory_lock(7)');
    client.send(
      query('SELECT pg_advisory_lock(7)'),
      run('DELETE FROM nowhere'),
      sync,
      header,
      Buffer.alloc(MEBIBYTE),
    );
    await untilSession(locker, pid, WAITS_FOR_LOCK);
    await locker.query('SELECT pg_advisory_unlock(7)');
    const told = readable(await client.rest());
    expect(told.at(-1)).toMatch(/C=08P01.*S=FATAL/);
  });

  test('alone may send messages of exactly the limit, one after the other', async () => {
    const client = await login();
    const longest = query(
      `SELECT length('${'x'.repeat(8 * MEBIBYTE - 5 - "SELECT length('') AS length".length)}') AS length`,
    );
    expect(longest.readUInt32BE(1)).toBe(8 * MEBIBYTE);
    client.send(longest, longest, longest);
    expect(readable(await client.untilReady(3)).filter((each) => each.startsWith('C'))).toHaveLength(3);
  });

  test('are served up to the limit, and beyond it the one with the most is told so', async () => {
    const [large, small] = [await login(), await login()];
    large.send(message.subarray(0, 6 * MEBIBYTE));
    small.send(message.subarray(0, 5 * MEBIBYTE));
    const told = await Promise.race(
      [large, small].map(async (client) => [client, await client.rest()] as const),
    );
    const [refused, came] = told;
    expect(readable(came).at(-1)).toMatch(/C=53200 .*PGC_MEMORY/);
    const [other, sent] = refused === large ? [small, 5] : [large, 6];
    expect(await other.told(message.subarray(sent * MEBIBYTE))).toContain(`D ${6 * MEBIBYTE}`);
    expect(await (await login()).told(message)).toContain(`D ${6 * MEBIBYTE}`);
  });
});
