/** Clients that say no more, and a server that does not end either: they keep no place for ever. */
import { PassThrough } from 'node:stream';
import { afterEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import { awaitLastAnswers } from '../../src/session/last-answers.js';
import { Relay } from '../chaos/relay.js';
import { useDatabase } from '../support/database.js';
import { flush, query, terminate } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient, startupPacket } from '../support/raw-client.js';
import { pidOf, untilSession, WAITS_FOR_LOCK } from '../support/server-sessions.js';
import { until } from '../support/until.js';

const database = useDatabase();
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['goodbye', terminate],
  ['Flush', flush],
])('a client that has got its answers and says %s at its end goes, whatever the network does with that', async (_, last) => {
  const relay = await Relay.start(inject('postgres').port);
  onTestFinished(() => relay.stop());
  const proxy = await startProxy({
    upstream: `postgres://127.0.0.1:${relay.port}`,
    limits: { connections: 1 },
  });
  onTestFinished(() => proxy.stop());
  let isMute = false;
  relay.arm({
    direction: 'toServer',
    name: 'stall after the login',
    begin: () => (bytes) => (isMute ? [{ kind: 'stall' }] : [bytes]),
  });
  const client = await RawClient.login(proxy, { database: database.name });
  isMute = true;
  client.socket.end(last);
  await until('there is room for another one', async () => {
    const next = await RawClient.open(proxy);
    next.send(startupPacket({ database: database.name }));
    const isIn = await next.until('Z').then(
      () => true,
      () => false,
    );
    next.socket.destroy();
    return isIn;
  });
});

test('a server that is at work for one that said goodbye has an hour, and for one that waits all the time', () => {
  vi.useFakeTimers();
  const ended: string[] = [];
  for (const isLeft of [true, false]) {
    const server = new PassThrough();
    onTestFinished(() => void server.destroy());
    awaitLastAnswers(
      server,
      () => true,
      () => isLeft,
      () => ended.push(isLeft ? 'left' : 'waiting'),
    );
  }
  vi.advanceTimersByTime(3_599_000);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(7_200_000);
  expect(ended).toEqual(['left']);
});

test('through a session: the hour over, a DELETE that waits for a lock is cancelled, and there is room for another client', async () => {
  const proxy = await startProxy({ limits: { connections: 1 } });
  onTestFinished(() => proxy.stop());
  const [watching, locking] = [await database.connect(), await database.connect()];
  await watching.query('CREATE TABLE locked ()');
  await locking.query('BEGIN; LOCK TABLE locked');
  const client = await RawClient.login(proxy, { database: database.name });
  const pid = await pidOf(client);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  client.socket.end(Buffer.concat([query('DELETE FROM locked'), terminate]));
  await until('the goodbye is read', async () => vi.getTimerCount() > 0);
  await untilSession(watching, pid, WAITS_FOR_LOCK);
  vi.advanceTimersByTime(3_599_000);
  const next = () => RawClient.login(proxy, { database: database.name });
  await expect(next()).rejects.toThrow();
  await untilSession(watching, pid, WAITS_FOR_LOCK);
  vi.advanceTimersByTime(1000);
  await until('there is room for another one', () =>
    next().then(
      () => true,
      () => false,
    ),
  );
});
