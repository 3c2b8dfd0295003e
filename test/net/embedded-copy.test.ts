/** COPY FROM STDIN, which the embedded database cannot do as PostgreSQL does it (src/net/embedded/copy.ts). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedDatabase, openEmbedded } from '../../src/net/embedded/embedded.js';
import {
  copyData,
  copyDone,
  copyFail,
  flush,
  parse,
  query,
  RawClient,
  run,
  sync,
} from './embedded-harness.js';

let upstream: EmbeddedDatabase;
beforeAll(async () => {
  upstream = await openEmbedded();
});
afterAll(() => upstream.close());

describe('COPY FROM STDIN', () => {
  let client: RawClient;
  beforeAll(async () => {
    client = await RawClient.connect(upstream);
    await client.ask(query('CREATE TABLE target (a int, b text)'));
  });
  afterAll(() => void client.stream.destroy());
  const copied = async () => (await client.ask(query('SELECT count(*) FROM target')))[1];
  const begin = async (sql: string) => {
    client.send(query(sql));
    expect(await client.until(/^[GZ]/)).toEqual(['G']);
  };

  test('takes its data in any number of messages, alone and in a transaction', async () => {
    await client.ask(query('TRUNCATE target'));
    await begin('/* a comment */ COPY target FROM STDIN');
    client.send(copyData('1\ton'), copyData('e\n2\ttwo\n'), sync, flush);
    expect(await client.ask(copyDone)).toEqual(['C COPY 2', 'Z I']);
    await client.ask(query('BEGIN; TRUNCATE target'));
    await begin('copy target from stdin with (freeze on)');
    expect(await client.ask(copyData('3\tthree\n'), copyDone)).toEqual(['C COPY 1', 'Z T']);
    await client.ask(query('COMMIT'));
    expect(await copied()).toBe('D 1');
  });

  test('is told from what only looks like one, however many comments stand before it', async () => {
    await client.ask(query('TRUNCATE target'));
    const comments = '/* copy */'.repeat(60);
    expect(await client.ask(query(`${comments} SELECT 'from stdin'`))).toContain('D from stdin');
    expect(await client.ask(query(`COPY (SELECT 'from stdin' /* from stdin */) TO STDOUT`))).toContain(
      'C COPY 1',
    );
    await begin(`${comments} COPY target FROM /* */ STDIN`);
    expect(await client.ask(copyData('1\tone\n'), copyDone)).toEqual(['C COPY 1', 'Z I']);
    await client.ask(query('BEGIN; TRUNCATE target'));
    await begin(`COPY target FROM STDIN (freeze, null 'freeze é')`);
    expect(await client.ask(copyData('3\tfreeze é\n'), copyDone)).toEqual(['C COPY 1', 'Z T']);
    await client.ask(query('ROLLBACK'));
  });

  test('fails as PostgreSQL lets it fail', async () => {
    await client.ask(query('TRUNCATE target'));
    expect((await client.ask(query('COPY missing FROM STDIN')))[0]).toContain('E ERROR 42P01');
    await begin('COPY target FROM STDIN');
    expect(await client.ask(copyData('1\tone\n'), copyFail('no'))).toEqual([
      'E ERROR 57014 COPY from stdin failed: no',
      'Z I',
    ]);
    await begin('COPY target FROM STDIN');
    expect((await client.ask(copyData('x\tone\n'), copyDone))[0]).toContain('E ERROR 22P02');
    expect(await copied()).toBe('D 0');
  });

  test('is refused, not left hanging, where it cannot be done', async () => {
    const refused = expect.stringContaining('E ERROR 0A000');
    expect(await client.ask(query('SELECT 1; COPY target FROM STDIN'))).toContainEqual(refused);
    client.send(parse('', 'COPY target FROM STDIN'), run(''), sync);
    expect(await client.until(/^Z/)).toContainEqual(refused);
    await begin('COPY target FROM STDIN; COPY target FROM STDIN');
    expect(await client.ask(copyData('1\tone\n'), copyDone)).toContainEqual(refused);
  });

  test('that a client leaves is undone, and holds nobody up', async () => {
    const leaves = await RawClient.connect(upstream);
    leaves.send(query('COPY target FROM STDIN'));
    await leaves.until(/^G/);
    leaves.send(copyData('1\tone\n'));
    client.send(query('SELECT count(*) FROM target'));
    leaves.stream.destroy();
    expect(await client.until(/^Z/)).toContain('D 0');
  });
});
