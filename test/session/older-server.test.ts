/**
 * Before version 13 a server that is not in UTF8 takes no escapes of letters beyond ASCII. Here a later one says that it is one: what
 * it is sent must have none.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { message, query } from '../support/frontend-messages.js';
import { startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const SCHEMA = `
  CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE);
  CREATE TABLE "größe" ("née" int PRIMARY KEY, "é" int CONSTRAINT "clé" REFERENCES t ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE "été" (id int PRIMARY KEY, name text CONSTRAINT "clé2" REFERENCES t (name) NOT ENFORCED);
  INSERT INTO t VALUES (1, 'a'), (2, 'é'), (3, 'c'); INSERT INTO "größe" VALUES (10, 1), (20, 2), (30, 3);
  INSERT INTO "été" VALUES (1, 'é');`;

/** A relay in front of the server, which says that it is version 12. */
async function startOlder(): Promise<{ readonly url: string; readonly sent: () => string }> {
  const { host, port } = inject('postgres');
  const sockets = new Set<Socket>();
  let sent = '';
  const relay = createServer((client) => {
    const server = connect({ host, port });
    for (const socket of [client, server]) sockets.add(socket.on('error', () => {}));
    client.on('data', (bytes: Buffer) => {
      sent += bytes.toString('latin1');
      server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      const said = bytes.toString('latin1').replace(/(server_version\0)\d\d/, '$112');
      client.write(Buffer.from(said, 'latin1'));
    });
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  const address = relay.address();
  return {
    url: `postgres://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    sent: () => sent,
  };
}

/** A database in this encoding, and a client of it through a proxy in front of the older server. */
async function useOlder(encoding: string, schema: string) {
  const admin = new pg.Client({ ...inject('postgres'), database: 'postgres' });
  await admin.connect();
  const name = `${encoding.toLowerCase()}_of_12`;
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LOCALE 'C'`);
  onTestFinished(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  const owner = new pg.Client({ ...inject('postgres'), database: name });
  await owner.connect();
  await owner.query(schema);
  await owner.end();
  const { url, sent } = await startOlder();
  const proxy = await startProxy({ upstream: url });
  onTestFinished(() => proxy.stop());
  const login = (client: string) =>
    RawClient.login(proxy, { database: name, parameters: { client_encoding: client } });
  return { login, sent };
}

test('names are spelled in the letters of the client, where its encoding has one byte for each', async () => {
  const { login, sent } = await useOlder('LATIN1', SCHEMA);
  for (const [encoding, id] of [
    ['LATIN1', 1],
    ['SQL_ASCII', 3],
  ] as const) {
    const client = await login(encoding);
    expect(await client.told(query(`DELETE FROM t WHERE id = ${id}`))).toEqual(['C DELETE 1', 'Z I']);
    const [error] = await client.ask(message('Q', Buffer.from(`DELETE FROM t WHERE name = 'é'\0`, 'latin1')));
    expect(error?.body.toString('latin1')).toContain('DKey (name)=(é) is still referenced from table "été".');
  }
  expect(sent()).not.toMatch(/U&"|\\U0000/);
  expect(await (await login('UTF8')).told(query('SELECT count(*) FROM "größe"'))).toContain('D 1');
});

test('and are refused in any other', async () => {
  const { login } = await useOlder(
    'EUC_JP',
    `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
     CREATE TABLE "表" (id int REFERENCES t ON DELETE CASCADE NOT ENFORCED)`,
  );
  const client = await login('EUC_JP');
  expect((await client.told(query('DELETE FROM t')))[0]).toContain(
    'tables with names beyond ASCII in client encoding EUC_JP',
  );
  expect(await (await login('UTF8')).told(query('DELETE FROM t WHERE id = 1'))).toEqual([
    'C DELETE 1',
    'Z I',
  ]);
});
