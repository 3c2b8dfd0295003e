import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type AdminState, probes } from '../../src/admin/probes.js';
import { startAdmin } from '../../src/admin/server.js';

const serving = { started: () => true, ready: () => ({ ok: true, reason: 'ready' }) };

async function admin(state: AdminState) {
  const server = await startAdmin('127.0.0.1:0', { probes: probes(state) });
  onTestFinished(() => server.close());
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://${server.address}${path}`, { method });
    return {
      status: response.status,
      text: (await response.text()).trim(),
      allow: response.headers.get('allow'),
    };
  };
  return { server, ask };
}

test('a proxy that serves is started, alive and ready', async () => {
  const { ask } = await admin(serving);
  expect(await ask('/startup')).toMatchObject({ status: 200, text: 'started' });
  expect(await ask('/liveness')).toMatchObject({ status: 200, text: 'alive' });
  expect(await ask('/readiness?verbose')).toMatchObject({ status: 200, text: 'ready' });
});

test('a proxy that starts is alive, not started and not ready', async () => {
  const { ask } = await admin({ ...serving, started: () => false });
  expect(await ask('/startup')).toMatchObject({ status: 503, text: 'starting' });
  expect(await ask('/liveness')).toMatchObject({ status: 200 });
  expect(await ask('/readiness')).toMatchObject({ status: 503, text: 'starting' });
});

test('readiness follows the state and says why', async () => {
  let draining = false;
  const ready = () => ({ ok: !draining, reason: draining ? 'draining' : 'ready' });
  const { ask } = await admin({ ...serving, ready });
  expect(await ask('/readiness')).toMatchObject({ status: 200, text: 'ready' });
  draining = true;
  expect(await ask('/readiness')).toMatchObject({ status: 503, text: 'draining' });
  expect(await ask('/liveness')).toMatchObject({ status: 200 });
});

test('other paths are 404', async () => {
  const { ask } = await admin(serving);
  for (const path of ['/', '/readiness/', '/constructor']) {
    expect(await ask(path)).toMatchObject({ status: 404 });
  }
});

test('other methods are 405 and told what is allowed', async () => {
  const { ask } = await admin(serving);
  expect(await ask('/readiness', 'POST')).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  expect(await ask('/readiness', 'HEAD')).toMatchObject({ status: 200, text: '' });
});

test('an address that is taken is an error', async () => {
  const { server } = await admin(serving);
  await expect(startAdmin(server.address, { probes: probes(serving) })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

test('close ends connections: kept alive, silent, and halfway through a request', async () => {
  const { server } = await admin(serving);
  const keptAlive = await opened(server.address);
  keptAlive.write('GET /liveness HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(keptAlive, 'data');
  const silent = await opened(server.address);
  const halfway = await opened(server.address);
  halfway.write('GET /live');

  const ends = [keptAlive, silent, halfway].map(
    (socket) => new Promise((end) => socket.resume().on('close', end)),
  );
  await server.close();
  await Promise.all(ends);
  await expect(fetch(`http://${server.address}/liveness`)).rejects.toThrow();
});

async function opened(address: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname);
  // However the server ends it.
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}
