/** What the embedded database promises on the wire, byte by byte. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedDatabase, openEmbedded } from '../../src/net/embedded/embedded.js';
import {
  bind,
  closeStatement,
  describe as describeStatement,
  execute,
  flush,
  message,
  packet,
  parse,
  query,
  RawClient,
  run,
  startup,
  sync,
} from './embedded-harness.js';

let upstream: EmbeddedDatabase;
beforeAll(async () => {
  upstream = await openEmbedded();
});
afterAll(() => upstream.close());

describe('startup', () => {
  const SSL_REQUEST = 80877103;
  const GSSENC_REQUEST = 80877104;
  const CANCEL_REQUEST = 80877102;

  test('declines encryption, then goes on in the clear', async () => {
    for (const code of [SSL_REQUEST, GSSENC_REQUEST]) {
      const stream = await upstream.connect();
      stream.write(packet(code));
      expect(String((await once(stream, 'data'))[0])).toBe('N');
      stream.write(startup({ user: 'joe' }));
      expect((await once(stream, 'data'))[0][0]).toBe('R'.charCodeAt(0));
      stream.destroy();
    }
  });

  test('closes a cancel request without a word', async () => {
    const client = await RawClient.open(upstream);
    client.send(packet(CANCEL_REQUEST, Buffer.alloc(8)));
    expect(await client.until(/./)).toEqual([]);
    client.stream.destroy();
  });

  test('reports settings as they are for this client', async () => {
    const client = await RawClient.open(upstream);
    client.send(
      startup({ user: 'joe', application_name: 'me', DateStyle: 'German', options: '-c TimeZone=UTC' }),
    );
    expect(await client.until(/^Z/)).toEqual(
      expect.arrayContaining([
        'R',
        'S application_name\0me\0',
        'S DateStyle\0German, DMY\0',
        'S TimeZone\0UTC\0',
        'S client_encoding\0UTF8\0',
        'S search_path\0"$user", public\0',
        'S session_authorization\0postgres\0',
        'Z I',
      ]),
    );
    client.stream.destroy();
  });

  test.each([
    ['3.0', 0x30000, {}, undefined, 4],
    ['3.2', 0x30002, {}, undefined, 32],
    ['3.9999', 0x3270f, {}, '\0\x03\0\x02\0\0\0\0', 32],
    ['3.0 with an unknown option', 0x30000, { '_pq_.x': '1' }, '\0\x03\0\0\0\0\0\x01_pq_.x\0', 4],
  ])('of protocol %s is answered as by PostgreSQL 18', async (_, version, options, negotiation, keyLength) => {
    const client = await RawClient.open(upstream);
    client.send(startup({ user: 'joe', ...options }, version));
    const answer = await client.until(/^Z/);
    expect(answer.filter((it) => it.startsWith('v'))).toEqual(negotiation ? [`v ${negotiation}`] : []);
    expect(answer.find((it) => it.startsWith('K'))?.length).toBe(2 + 4 + keyLength);
    client.stream.destroy();
  });

  test.each([
    ['no user', startup({ database: 'x' }), '28000'],
    ['replication', startup({ user: 'joe', replication: 'database' }), '0A000'],
    ['protocol 2.0', packet(0x20000, Buffer.alloc(1)), '0A000'],
    ['parameters without an end', packet(0x30000, Buffer.from('user\0me')), '08P01'],
  ])('with %s is refused', async (_, bytes, sqlstate) => {
    const client = await RawClient.open(upstream);
    client.send(bytes);
    expect((await client.until(/^Z/))[0]).toContain(`E FATAL ${sqlstate}`);
    client.stream.destroy();
  });
});

describe('messages', () => {
  const several = Buffer.concat([
    query('SELECT 1; SELECT 2'),
    parse('', 'SELECT 3'),
    describeStatement(''),
    flush,
    run(''),
    sync,
    query('bogus'),
    run('missing'),
    execute(),
    sync,
    query('COPY (SELECT 4) TO STDOUT'),
  ]);
  const answers = [
    ...['T', 'D 1', 'C SELECT 1', 'T', 'D 2', 'C SELECT 1', 'Z I'],
    ...['1', 't', 'T', '2', 'D 3', 'C SELECT 1', 'Z I'],
    ...['E ERROR 42601 syntax error at or near "bogus"', 'Z I'],
    ...['E ERROR 26000 prepared statement "missing" does not exist', 'Z I'],
    ...['H', 'd', 'c', 'C COPY 1', 'Z I'],
  ];

  test('mean the same in one write and split at every byte', async () => {
    const start = startup({ user: 'joe' });
    for (const split of [
      (all: Buffer) => [all],
      (all: Buffer) => [...all].map((byte) => Buffer.from([byte])),
    ]) {
      const client = await RawClient.open(upstream);
      for (const piece of split(Buffer.concat([start, several]))) client.stream.write(piece);
      await client.until(/^Z/);
      const received = [];
      for (let i = 0; i < 5; i++) received.push(...(await client.until(/^Z/)));
      expect(received).toEqual(answers);
      client.stream.destroy();
    }
  });

  test('may be large, in many writes', async () => {
    const client = await RawClient.connect(upstream);
    const large = query(`SELECT length('${'x'.repeat(5_000_000)}')`);
    for (let at = 0; at < large.length; at += 1000) client.stream.write(large.subarray(at, at + 1000));
    expect(await client.until(/^Z/)).toEqual(['T', 'D 5000000', 'C SELECT 1', 'Z I']);
    client.stream.destroy();
  });

  test.each([
    ['an unknown type', message('!')],
    ['a password out of place', message('p', Buffer.alloc(5))],
    ['a length under four', Buffer.from([0x51, 0, 0, 0, 3])],
    ['a Sync of 20,000 bytes', message('S', Buffer.alloc(20_000))],
  ])('with %s end the session, not the database', async (_, bytes) => {
    const [bad, good] = await Promise.all([RawClient.connect(upstream), RawClient.connect(upstream)]);
    expect((await bad.ask(bytes))[0]).toContain('E FATAL 08P01');
    expect(bad.ended).toBe(true);
    expect(await good.ask(query('SELECT 1'))).toContain('D 1');
    good.stream.destroy();
  });

  test('that are malformed are the server’s to refuse', async () => {
    const client = await RawClient.connect(upstream);
    for (const type of ['P', 'B', 'D', 'C', 'E', 'F'])
      expect((await client.ask(message(type, Buffer.from('xx')), sync))[0]).toMatch(/^E ERROR/);
    client.stream.destroy();
  });
});

describe('a named statement', () => {
  test('may have any name; bytes after the 63rd do not count', async () => {
    const [a, b] = await Promise.all([RawClient.connect(upstream), RawClient.connect(upstream)]);
    for (const name of ['é', 'x'.repeat(58), 'y'.repeat(63), 'z'.repeat(100)]) {
      expect(await a.ask(parse(name, `SELECT 'a'`), sync)).toEqual(['1', 'Z I']);
      expect(await b.ask(parse(name, `SELECT 'b'`), sync)).toEqual(['1', 'Z I']);
      expect(await a.ask(run(name), sync)).toContain('D a');
      expect(await b.ask(run(`${name.slice(0, 63)}${name.length > 63 ? 'other' : ''}`), sync)).toContain(
        'D b',
      );
      expect(await b.ask(closeStatement(name), sync)).toEqual(['3', 'Z I']);
      expect((await b.ask(run(name), sync))[0]).toMatch(/^E ERROR 26000/);
      expect(await a.ask(run(name), sync)).toContain('D a');
    }
    a.stream.destroy();
    b.stream.destroy();
  });

  test('of SQL’s PREPARE can be run by the protocol', async () => {
    const client = await RawClient.connect(upstream);
    await client.ask(query('PREPARE made AS SELECT 5'));
    expect(await client.ask(run('made'), sync)).toContain('D 5');
    client.stream.destroy();
  });
});

describe('the unnamed statement', () => {
  test('is each client’s own, across Syncs', async () => {
    const [a, b] = await Promise.all([RawClient.connect(upstream), RawClient.connect(upstream)]);
    await a.ask(parse('', `SELECT 'a'`), sync);
    await b.ask(parse('', `SELECT 'b'`), sync);
    expect(await a.ask(run(''), sync)).toContain('D a');
    expect(await b.ask(run(''), sync)).toContain('D b');
    a.stream.destroy();
    b.stream.destroy();
  });

  test('is dropped by a simple query and by a Parse that fails, and is never another’s', async () => {
    const [a, b] = await Promise.all([RawClient.connect(upstream), RawClient.connect(upstream)]);
    const missing = 'E ERROR 26000 unnamed prepared statement does not exist';
    await a.ask(parse('', 'SELECT 1'), sync);
    await b.ask(sync);
    expect(await b.ask(run(''), sync)).toContain(missing);
    await a.ask(query('SELECT 2'));
    expect(await a.ask(run(''), sync)).toContain(missing);
    await a.ask(parse('', 'SELECT 1'), sync, parse('', 'bogus'));
    await a.ask(sync);
    expect(await a.ask(run(''), sync)).toContain(missing);
    a.stream.destroy();
    b.stream.destroy();
  });
});

describe('a pipeline', () => {
  test('that a client leaves unfinished is undone, and holds nobody up', async () => {
    const [leaves, waits] = await Promise.all([RawClient.connect(upstream), RawClient.connect(upstream)]);
    leaves.send(parse('', 'DELETE FROM comments'), run(''), flush);
    await leaves.until(/^C/);
    waits.send(query('SELECT count(*) FROM comments'));
    leaves.stream.destroy();
    expect(await waits.until(/^Z/)).toContain('D 12');
    waits.stream.destroy();
  });

  test('keeps its turn while it skips to Sync', async () => {
    const [fails, waits] = await Promise.all([RawClient.connect(upstream), RawClient.connect(upstream)]);
    fails.send(parse('s', 'bogus'), query('SELECT 1'), closeStatement('s'));
    await fails.until(/^E/);
    waits.send(query('SELECT 2'));
    expect(await fails.ask(bind('s'), sync)).toEqual(['Z I']);
    expect(await waits.until(/^Z/)).toContain('D 2');
    fails.stream.destroy();
    waits.stream.destroy();
  });
});
