/** Clients that stop, and a database that does. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedDatabase, openEmbedded } from '../../src/net/embedded/embedded.js';
import { message, query, RawClient, startup } from './embedded-harness.js';

let upstream: EmbeddedDatabase;
beforeAll(async () => {
  upstream = await openEmbedded();
});
afterAll(() => upstream.close());

describe('the start', () => {
  test('takes what initdb has made at the build, and does not run it again', async () => {
    const own = await openEmbedded();
    const identifiers = await Promise.all(
      [upstream, own].map(async (each) => {
        const client = await RawClient.connect(each);
        return client.ask(query('SELECT system_identifier FROM pg_control_system()'));
      }),
    );
    // initdb makes a new one each time.
    expect(identifiers[0]).toContainEqual(expect.stringMatching(/^D \d+$/));
    expect(identifiers[0]).toEqual(identifiers[1]);
    await own.close();
  });
});

describe('a client that does not read', () => {
  test('is read from no further, and holds nobody up', async () => {
    const [slow, other] = [await upstream.connect(), await RawClient.connect(upstream)];
    slow.write(startup({ user: 'joe' }));
    const big = query(`SELECT repeat('x', 1000) FROM generate_series(1, 1000)`);
    for (let i = 0; i < 50; i++) slow.write(big);
    expect(await other.ask(query('SELECT 1'))).toContain('D 1');
    expect(await other.ask(query('SELECT 2'))).toContain('D 2');
    expect(slow.readableLength).toBeLessThan(3_000_000);
    let received = 0;
    slow.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    slow.end(message('X'));
    await once(slow, 'end');
    expect(received).toBeGreaterThan(50_000_000);
  });
});

describe('the end', () => {
  test('by a crash is told to all clients, and the next finds a new database', async () => {
    const own = await openEmbedded();
    const [crashes, idle] = await Promise.all([RawClient.connect(own), RawClient.connect(own)]);
    await idle.ask(query('DELETE FROM orgs'));
    expect((await crashes.ask(query(`COPY orgs TO PROGRAM 'none'`)))[0]).toContain('E FATAL 57P02');
    expect((await idle.until(/^Z/))[0]).toContain('E FATAL 57P02');
    const [a, b] = await Promise.all([RawClient.connect(own), RawClient.connect(own)]);
    expect(await a.ask(query('SELECT count(*) FROM orgs'))).toContain('D 4');
    expect(await b.ask(query('SELECT count(*) FROM orgs'))).toContain('D 4');
    await own.close();
  });

  test('by close is told to all clients, and nobody is let in again', async () => {
    const own = await openEmbedded();
    const [open, waiting] = await Promise.all([RawClient.connect(own), RawClient.connect(own)]);
    await open.ask(query('BEGIN'));
    waiting.send(query('SELECT 1'));
    await own.close();
    expect((await open.until(/^Z/))[0]).toContain('E FATAL 57P01');
    expect((await waiting.until(/^Z/))[0]).toContain('E FATAL 57P01');
    await expect(own.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await own.close();
  });
});
