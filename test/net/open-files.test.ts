/** What becomes of clients when the process may open few files (ulimit -n). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { mostClients } from '../../src/open-files.js';
import { workspace } from '../config/workspace.js';
import { useDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { query } from '../support/frontend-messages.js';
import { RawClient, readable, startupPacket } from '../support/raw-client.js';
import { watched } from '../support/unlogged.js';

const database = useDatabase();

describe('the number of clients', () => {
  test.each([
    [1000, 20_000, 1000],
    [1000, 264, 100],
    [5, 264, 5],
    [1000, 10, 1],
    [7, undefined, 7],
  ])('of %d wanted with %s files is %d', (wanted, files, expected) => {
    expect(mostClients(wanted, files)).toBe(expected);
  });
});

test('with few files it says so, serves those who are in, answers probes, and refuses the others with 53300', async () => {
  // Node.js opens some hundred files while it loads the program.
  const files = 160;
  const most = 48;
  const { port, adminPort, log } = await startWithFiles(files);
  expect(await log.next()).toContain(
    `the ${files} files that may be open (ulimit -n) are enough for ${most} clients`,
  );

  const clients = await Promise.all(Array.from({ length: most }, () => login(port)));
  for (let i = 0; i < 2 * files; i++) {
    const refused = await RawClient.open({ host: '127.0.0.1', port });
    refused.send(startupPacket({ database: database.name }));
    expect(readable(await refused.rest())).toEqual([expect.stringContaining('C=53300')]);
  }
  for (const client of clients) expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
  expect((await fetch(`http://127.0.0.1:${adminPort}/liveness`)).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${adminPort}/readiness`)).status).toBe(503);
});

const login = (port: number) => RawClient.login({ host: '127.0.0.1', port }, { database: database.name });

/** The built program under a limit on open files, until the test ends. */
async function startWithFiles(files: number) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
  const { host, port: upstreamPort } = inject('postgres');
  const flags = ['--listen', `127.0.0.1:${port}`, '--upstream', `postgres://${host}:${upstreamPort}`];
  const child = spawn(
    '/bin/sh',
    ['-c', `ulimit -n ${files} && exec "$@"`, 'sh', process.execPath, program, ...flags],
    {
      cwd: workspace(),
      env: { ...process.env, PGCASCADE_ADMIN_LISTEN: `127.0.0.1:${adminPort}`, PGCASCADE_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  watched(child);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const lines = createInterface(child.stderr)[Symbol.asyncIterator]();
  await once(child.stdout, 'data');
  return { port, adminPort, log: { next: async () => String((await lines.next()).value) } };
}
