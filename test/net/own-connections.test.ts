/** Connections of the proxy's own (graph.url, doctor) are kept alive as their URL says it. */
import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { asking } from '../../src/graph/watch/connection.js';

const KEEPALIVE = 2;

/**
 * What the kernel waits for on a connection: the timer, and seconds until it (proc_net_tcp.txt, `tr tm->when`).
 * @param own its local port, which another connection may have too, to another server
 */
function timerOf(own: number): { readonly timer: number; readonly seconds: number } {
  const [local, remote] = [own, port].map((each) => `:${each.toString(16).toUpperCase().padStart(4, '0')}`);
  const fields = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, from, to]) => from?.endsWith(local ?? '') && to?.endsWith(remote ?? ''));
  const [timer = '', ticks = ''] = fields?.[5]?.split(':') ?? [];
  return { timer: Number.parseInt(timer, 16), seconds: Number.parseInt(ticks, 16) / 100 };
}

const { host, port, user } = inject('postgres');

test.runIf(process.platform === 'linux').each([
  ['', KEEPALIVE, [0, 30]],
  ['keepalives_idle=900', KEEPALIVE, [30, 900]],
  ['keepalives=0', 0, [-1, 0]],
] as const)('with %j', async (query, timer, [above, most]) => {
  const database = parseGraphUrl(`postgres://${user}@${host}:${port}/postgres?${query}`);
  const seen = await asking(database, async (ask) => {
    const [[own] = []] = await ask('SELECT inet_client_port()');
    // Until the kernel has its answer to the query it waits for another reason.
    await expect.poll(() => timerOf(Number(own)).timer).toBe(timer);
    return timerOf(Number(own));
  });
  expect(seen.seconds).toBeGreaterThan(above);
  expect(seen.seconds).toBeLessThanOrEqual(most);
});
