/** Cancel requests: they stop the statement they were meant for, and no other. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { startProxy, useProxy } from '../support/proxy.js';
import { cancelPacket, packet, RawClient, readable } from '../support/raw-client.js';
import { until } from '../support/until.js';

const database = useDatabase();
const proxy = useProxy();
// Says when it runs, so that a cancel can be sent then.
const WORKING = `DO $$ BEGIN RAISE NOTICE 'at work'; PERFORM pg_sleep(50); END $$`;
const login = (version = 0x30000) => RawClient.login(proxy, { database: database.name, version });

/** Sends a cancel request and waits until the other side has closed the connection, as libpq does. */
async function cancel(address: { host: string; port: number }, request: Buffer): Promise<void> {
  const client = await RawClient.open(address);
  client.send(request);
  expect(await client.rest()).toEqual([]);
}

async function working(client: RawClient): Promise<void> {
  client.send(query(WORKING));
  await client.until('N');
}

/** A way to the server on which connections can be made to wait. */
async function startGate() {
  let opened = 0;
  let gate = Promise.resolve();
  const sockets = new Set<Socket>();
  // Half-open: the proxy has sent all of a cancel request, and may not be told that it was heard before the server says so.
  const server = createServer({ allowHalfOpen: true }, async (client) => {
    opened++;
    await gate;
    const { host, port } = inject('postgres');
    const onward = connect({ host, port, noDelay: true });
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {}).pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get opened() {
      return opened;
    },
    /** Lets no new connection through until what it returns is called. */
    hold(): () => void {
      let release: () => void = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
  };
}

/**
 * @param parameters of the upstream's URL
 * @param cancelPatience as startApp
 */
async function startBehindGate(parameters = '', cancelPatience?: number) {
  const gate = await startGate();
  const upstream = `postgres://127.0.0.1:${gate.port}${parameters}`;
  const gated = await startProxy({ upstream }, cancelPatience);
  onTestFinished(() => gated.stop());
  const client = await RawClient.login(gated, { database: database.name });
  const other = await RawClient.login(gated, { database: database.name });
  const cancelClient = () => cancel(gated, cancelPacket(client));
  return {
    gate,
    client,
    cancel: cancelClient,
    /** A cancel request that waits at the gate until the statement that it was meant for has ended by itself, and longer. */
    async cancelTooLate() {
      const holder = await database.connect();
      await holder.query('SELECT pg_advisory_lock(1)');
      client.send(query(`DO $$ BEGIN RAISE NOTICE 'at work'; PERFORM pg_advisory_xact_lock(1); END $$`));
      await client.until('N');
      const before = gate.opened;
      const release = gate.hold();
      const cancelled = cancelClient();
      await until('the cancel request is at the gate', () => gate.opened > before);
      await holder.query('SELECT pg_advisory_unlock(1)');
      expect(readable(await client.untilReady())).toEqual(['C DO', 'Z I']);
      return { release, cancelled };
    },
    /** What was written before has been read by the proxy, which runs in this process, when this is answered. */
    roundTrip: () => other.ask(query('SELECT 1')),
  };
}

describe('a cancel request', () => {
  test('stops the statement that runs, and the session goes on', async () => {
    const client = await login();
    await working(client);
    await cancel(proxy, cancelPacket(client));
    expect(readable(await client.untilReady())[0]).toContain('C=57014');
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
  });

  test('with the long key of protocol 3.2 does so too', async () => {
    const client = await login(0x30002);
    expect(cancelPacket(client).length).toBeGreaterThan(16);
    await working(client);
    await cancel(proxy, cancelPacket(client));
    expect(readable(await client.untilReady())[0]).toContain('C=57014');
  });

  test('with a wrong key stops nothing', async () => {
    const [client, other] = [await login(), await login()];
    await working(client);
    const wrong = cancelPacket(client);
    wrong.writeUInt32BE((wrong.readUInt32BE(12) ^ 1) >>> 0, 12);
    await cancel(proxy, wrong);
    const sql = `SELECT state FROM pg_stat_activity WHERE query LIKE 'DO%' AND datname = current_database()`;
    expect(await other.told(query(sql))).toContain('D active');
    await cancel(proxy, cancelPacket(client));
    await client.untilReady();
  });

  test('for a session of another proxy in front of the same server is passed on', async () => {
    const elsewhere = await RawClient.login(inject('postgres'), { database: database.name });
    await working(elsewhere);
    await cancel(proxy, cancelPacket(elsewhere));
    expect(readable(await elsewhere.untilReady())[0]).toContain('C=57014');
  });

  test.each([
    4,
    4 + 257,
    4 + 1000,
  ])('of a length that no key has ends without a word, as directly (%i bytes)', async (length) => {
    for (const server of [inject('postgres'), proxy]) {
      const client = await RawClient.open(server);
      client.send(packet(80877102, Buffer.alloc(length)));
      expect(await client.bytes(1)).toBeUndefined();
    }
  });

  test('for a session at rest does not reach the server', async () => {
    const { gate, client, cancel } = await startBehindGate();
    const before = gate.opened;
    await cancel();
    expect(gate.opened).toBe(before);
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
  });
});

describe('while a cancel request is on its way', () => {
  test('the next statement waits for it', async () => {
    const { client, cancel, cancelTooLate, roundTrip } = await startBehindGate();
    const { release, cancelled } = await cancelTooLate();
    client.send(query(WORKING));
    await roundTrip();
    release();
    await cancelled;
    // Had the statement gone on before the cancel, it would be the one that is stopped.
    await client.until('N');
    const stopped = cancel();
    expect(readable(await client.untilReady())[0]).toContain('C=57014');
    await stopped;
  });

  test('what the client sends in several writes is kept whole', async () => {
    const { gate, client, cancel, roundTrip } = await startBehindGate();
    await working(client);
    const release = gate.hold();
    const cancelled = cancel();
    await roundTrip();
    const next = query('SELECT 1 AS one');
    for (const piece of [next.subarray(0, 9), next.subarray(9, 12), next.subarray(12)]) {
      client.send(piece);
      await roundTrip();
    }
    release();
    await cancelled;
    expect(readable(await client.untilReady())[0]).toContain('C=57014');
    expect(readable(await client.untilReady())).toContain('D 1');
  });

  test('the next statement waits no longer than it may take, also where the server does not say whether it encrypts', async () => {
    const { client, cancelTooLate } = await startBehindGate('?sslmode=prefer', 50);
    const { release, cancelled } = await cancelTooLate();
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
    release();
    await cancelled;
    expect(await client.told(query('SELECT 2 AS two'))).toContain('D 2');
  });
});
