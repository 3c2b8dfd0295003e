/** Who only says a user's name takes none of the user's places where the proxy itself asks for proof. */
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startProxy } from '../support/proxy.js';
import { RawClient, startupPacket } from '../support/raw-client.js';
import { passwordOf, useSampleServer } from './sample-server.js';

const sample = useSampleServer();

test.each([
  'per_user',
  'per_database',
])('limits.%s counts clients that have proved who they are', async (limit) => {
  const proxy = await startProxy({
    upstream: `postgres://127.0.0.1:${sample.server.port}?sslmode=disable`,
    auth: { mode: 'proxy', users: sample.users },
    limits: { [limit]: 1 },
  });
  onTestFinished(() => proxy.stop());
  const { host, port } = proxy;
  const logIn = async (password: string) => {
    const client = new pg.Client({ host, port, user: 'kept', password, database: 'postgres' });
    client.on('error', () => {});
    onTestFinished(() => client.end().catch(() => {}));
    return client.connect().then(
      () => 'in',
      ({ code }: pg.DatabaseError) => code,
    );
  };
  for (let i = 0; i < 3; i++) {
    const claimant = await RawClient.open(proxy);
    onTestFinished(() => void claimant.socket.destroy());
    claimant.send(startupPacket({ user: 'kept', database: 'postgres' }));
    await claimant.until('R');
  }
  expect(await logIn(passwordOf('kept'))).toBe('in');
  expect(await logIn('wrong')).toBe('28P01');
  expect(await logIn(passwordOf('kept'))).toBe('53300');
});
