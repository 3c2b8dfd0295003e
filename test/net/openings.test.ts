/** Clients that open a connection with something else than a login of protocol 3, or go away early: as PostgreSQL does. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import pg from 'pg';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { useProxy } from '../support/proxy.js';
import { message, packet, RawClient, readable, startupPacket } from '../support/raw-client.js';

const database = useDatabase();
const proxy = useProxy();
type Address = { readonly host: string; readonly port: number };
const startup = (fields: string) => packet(0x30000, Buffer.from(fields));
const login = () => startupPacket({ database: database.name });

/** All bytes that come until the server has closed its side, where the client closes its own after what it sends. */
async function answer({ host, port }: Address, sent: Buffer): Promise<string> {
  const socket = connect({ host, port, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  return all(socket, () => socket.end(sent));
}

/** The same where the client leaves its side open. */
async function openAnswer({ host, port }: Address, sent: Buffer): Promise<string> {
  const socket = connect({ host, port });
  onTestFinished(() => void socket.destroy());
  return all(socket, () => void socket.write(sent));
}

async function all(socket: Socket, send: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  // PostgreSQL resets a connection of which it has not read everything.
  socket.on('error', () => {}).on('data', (chunk: Buffer) => chunks.push(chunk));
  send();
  await once(socket, 'close');
  // The line of the server's source differs between versions, not between these two.
  return Buffer.concat(chunks).toString('latin1');
}

const unspoken: readonly (readonly [string, Buffer])[] = [
  ['the Terminate of a client that never started', message('X')],
  ['a single byte', Buffer.from('X')],
  ['a request by HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['a length under 8', Buffer.from([0, 0, 0, 7, 0, 3, 0])],
  ['a length over 10,004', Buffer.from([0, 0, 0x27, 0x15, 0, 3, 0, 0])],
  ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
  ['half of a startup packet', startup('user\0me\0\0').subarray(0, 12)],
  ['a cancel request without a key', packet(80877102, Buffer.alloc(4))],
  ['a cancel request with too long a key', packet(80877102, Buffer.alloc(4 + 257))],
  ['nothing at all', Buffer.alloc(0)],
];

describe('what is no startup packet ends the connection without a word, as directly:', () => {
  test.each(unspoken)('%s', async (_, bytes) => {
    expect(await answer(inject('postgres'), bytes)).toBe('');
    expect(await answer(proxy, bytes)).toBe('');
  });

  test.each(unspoken.slice(2, 6))('%s, from a client that waits', async (_, bytes) => {
    expect(await openAnswer(inject('postgres'), bytes)).toBe('');
    expect(await openAnswer(proxy, bytes)).toBe('');
  });
});

describe('a startup packet that PostgreSQL refuses is refused in its words:', () => {
  test.each([
    ['protocol 2.0', packet(0x20000, Buffer.alloc(288)), 'unsupported frontend protocol 2.0'],
    ['protocol 1.0', packet(0x10000, Buffer.alloc(1)), 'unsupported frontend protocol 1.0'],
    ['protocol 4.0', packet(0x40000, Buffer.from('user\0postgres\0\0')), 'unsupported frontend protocol 4.0'],
    ['protocol 9999.1', packet(0x270f0001), 'unsupported frontend protocol 9999.1'],
    ['no parameters', packet(0x30000), 'C08P01'],
    ['an empty list of parameters', startup('\0'), 'C28000'],
    ['parameters without an end', startup('user\0postgres'), 'C08P01'],
    ['a last value without an end', startup('user\0postgres\0database\0'), 'C08P01'],
    ['a name without a value', startup('user\0\0'), 'C08P01'],
    ['something after the parameters', startup('user\0postgres\0\0x'), 'C08P01'],
    ['no user', startup('database\0postgres\0\0'), 'C28000'],
    ['a database that is none', startup('user\0postgres\0database\0none here\0\0'), 'C3D000'],
  ])('%s', async (_, bytes, words) => {
    const expected = await answer(inject('postgres'), bytes);
    expect(expected).toContain(words);
    expect(await answer(proxy, bytes)).toBe(expected);
    expect(await openAnswer(proxy, bytes)).toBe(expected);
  });

  test('of another protocol nothing but the refusal passes', async () => {
    const bytes = Buffer.concat([packet(0x40000, Buffer.from('user\0postgres\0\0')), query('SELECT 1')]);
    expect(await answer(proxy, bytes)).toBe(
      await answer(proxy, bytes.subarray(0, -query('SELECT 1').length)),
    );
  });
});

describe('a client that has said its last word', () => {
  const known = /^(?:K|S |R)/;
  const told = (bytes: string) => {
    const messages = [];
    const buffer = Buffer.from(bytes, 'latin1');
    for (let at = 0; at < buffer.length; at += 1 + buffer.readUInt32BE(at + 1))
      messages.push({
        type: String.fromCharCode(buffer[at] ?? 0),
        body: buffer.subarray(at + 5, at + 1 + buffer.readUInt32BE(at + 1)),
      });
    return readable(messages).filter((each) => !known.test(each));
  };

  test.each([
    ['after its startup packet', []],
    ['after a query', [query('SELECT 1 AS one')]],
    ['after a DELETE', [query('DELETE FROM pg_temp.t'), query('SELECT 2 AS two')]],
  ] as const)('%s is served as directly', async (_, messages) => {
    const bytes = Buffer.concat([login(), query('CREATE TEMP TABLE t (id int)'), ...messages]);
    const expected = told(await answer(inject('postgres'), bytes));
    expect(expected[0]).toBe('Z I');
    expect(told(await answer(proxy, bytes))).toEqual(expected);
  });

  test('with its startup packet gets its greeting', async () => {
    expect(told(await answer(proxy, login()))).toEqual(['Z I']);
  });
});

describe('node-postgres', () => {
  test('that ends before it has started is let go without an error', async () => {
    for (const { host, port } of [inject('postgres'), proxy]) {
      const client = new pg.Client({ host, port, user: 'postgres', database: database.name });
      const errors: unknown[] = [];
      client.on('error', (error) => errors.push(error));
      const { connection } = client as unknown as { connection: pg.Connection };
      // Instead of its startup packet it sends Terminate.
      connection.removeAllListeners('connect');
      const ended = once(connection, 'end');
      (connection as unknown as { connect(port: number, host: string): void }).connect(port, host);
      await once(connection, 'connect');
      connection.end();
      await ended;
      expect(errors).toEqual([]);
    }
  });

  test('that connects and ends at once is let go', async () => {
    for (const { host, port } of [inject('postgres'), proxy]) {
      const client = new pg.Client({ host, port, user: 'postgres', database: database.name });
      client.on('error', () => {});
      // Whether it was connected before it ended is nobody's concern.
      client.connect().catch(() => {});
      await client.end();
    }
    const client = await RawClient.login(proxy, { database: database.name });
    expect(await client.told(query('SELECT 1 AS one'))).toContain('D 1');
  });
});
