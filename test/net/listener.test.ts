import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/config/address.js';
import { type Listener, listen } from '../../src/net/listener.js';

const hasIPv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

/** The clients of a listener are told which one they have come to. */
async function listening(host: string, port: number): Promise<Listener> {
  const listener = await listen({ kind: 'tcp', host, port }, (client) => client.end(host));
  onTestFinished(() => listener.close());
  return listener;
}

async function answered(host: string, port: number): Promise<string> {
  let answer = '';
  for await (const chunk of createConnection({ host, port })) answer += chunk;
  return answer;
}

// As listen_addresses = '0.0.0.0,::' of PostgreSQL and listen_addr of PgBouncer.
test.runIf(hasIPv6)(
  'every interface of IPv4 and every one of IPv6 are listened on beside each other',
  async () => {
    for (const [first, second] of [
      ['0.0.0.0', '::'],
      ['::', '0.0.0.0'],
    ] as const) {
      const { port } = parseAddress((await listening(first, 0)).address);
      await listening(second, port);
      expect(await answered('127.0.0.1', port)).toBe('0.0.0.0');
      expect(await answered('::1', port)).toBe('::');
    }
  },
);
