/** Where a question about a text has no answer, the text does not reach the server as it came: it is refused in its place. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { useDatabase } from '../support/database.js';
import {
  bind,
  describePortal,
  execute,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient, readable } from '../support/raw-client.js';

vi.setConfig({ testTimeout: 20_000 });
const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE NOT ENFORCED);`);
const DELETE = 'DELETE FROM parent WHERE id = 1';

/** A proxy in front of a server, and what the server gets from it. */
async function watched() {
  const chunks: Buffer[] = [];
  const { host, port } = inject('postgres');
  const server = createServer((client) => {
    const onward = connect({ host, port, noDelay: true });
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const [one, other] of [
      [client, onward],
      [onward, client],
    ] as const)
      one
        .on('error', () => {})
        .on('close', () => other.destroySoon())
        .pipe(other);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startProxy({
    upstream: `postgres://127.0.0.1:${(server.address() as AddressInfo).port}`,
    graph: { refresh: '0s' },
  });
  onTestFinished(async () => {
    await proxy.stop();
    server.close();
  });
  const client = await RawClient.login(proxy, { database: database.name });
  return { client, sent: () => Buffer.concat(chunks.splice(0)).toString('latin1') };
}

const FAILING = run('SELECT 1/0');

test.each([
  ['a Parse', [FAILING, parse(DELETE), bind(), describePortal(), execute(), sync]],
  ['a Parse under a name', [FAILING, parse(DELETE, 's'), runPrepared('s'), sync]],
  ['a query', [FAILING, query(DELETE), sync]],
  ['a query after a Parse that fails', [parse('nonsense'), query(DELETE), sync]],
  ['a string', [FAILING, query(`SET search_path = public; ${DELETE}`), sync]],
  ['a text that is not well-formed', [parse(`${DELETE} AND (`), sync]],
  ['a text that is not well-formed, after an execution', [run('SELECT 1'), parse(`${DELETE} AND (`), sync]],
])('after an error %s is not sent as it came', async (_, messages) => {
  const { client, sent } = await watched();
  await client.ask(query('INSERT INTO parent VALUES (1) ON CONFLICT DO NOTHING'));
  sent();
  const told = readable(await client.ask(...messages));
  expect(told.filter((each) => each.startsWith('E'))).toHaveLength(1);
  expect(sent()).not.toContain(`${DELETE}\0`);
  expect(await client.told(query('SELECT FROM parent WHERE id = 1'))).toContain('C SELECT 1');
});

test('a name under which a refusal was sent is what it was before', async () => {
  const { client } = await watched();
  await client.ask(parse('SELECT 7 AS it', 's'), sync);
  await client.ask(FAILING, parse(DELETE, 's'), parse(DELETE, 't'), runPrepared('s'), sync);
  expect(await client.told(runPrepared('s'), sync)).toContain('D 7');
  expect((await client.told(runPrepared('t'), sync)).join()).toContain('C=26000');
  await client.ask(parse(DELETE, 't'), sync);
  expect((await client.told(runPrepared('t'), sync)).join()).toContain('C DELETE');
});
