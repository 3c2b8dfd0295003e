/** What is kept of a client's bytes until they are taken: how much. */
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ClientMessages } from '../../src/session/client/client-messages.js';
import { Output } from '../../src/session/server/output.js';
import { query, run, sync, terminate } from '../support/frontend-messages.js';
import { int32, typed } from '../wire/bytes.js';

const LIMIT = 0x3fffffff;

/** Messages of a client. */
function start() {
  const output = new Output(new PassThrough());
  const messages = new ClientMessages(output, LIMIT, () => {});
  /** The types of what can be taken. */
  const taken = () => {
    let types = '';
    for (let it = messages.next(); it; it = messages.next()) types += String.fromCharCode(it.type);
    output.flush();
    return types;
  };
  return { messages, taken };
}

describe('what is read ahead', () => {
  test('is full with 64 KiB, in however small pieces they come, and gives each message once', () => {
    const { messages, taken } = start();
    let sent = 0;
    for (; !messages.isFull; sent++) for (const byte of sync) messages.push(Buffer.from([byte]));
    expect(sent).toBe(Math.ceil((64 * 1024) / sync.length));
    expect(messages.buffered).toBe(sent * sync.length);
    expect(taken()).toBe('S'.repeat(sent));
    expect([messages.isFull, messages.buffered]).toEqual([false, 0]);
  });

  test('of data is not gathered', () => {
    const { messages, taken } = start();
    messages.push(Buffer.concat([Buffer.from('d'), int32(LIMIT - 10), Buffer.alloc(1000)]));
    expect([taken(), messages.buffered]).toEqual(['d', 0]);
  });
});

describe('a goodbye', () => {
  const data = typed('d', Buffer.alloc(100, 'X\0\0\0\x04'));

  test.each<[string, boolean, Buffer[]]>([
    ['alone', true, [terminate]],
    ['after others', true, [query('SELECT 1'), run('SELECT 2'), data, terminate]],
    ['in pieces', true, [query('SELECT 1'), terminate.subarray(0, 2), terminate.subarray(2)]],
    ['before others', true, [terminate, query('SELECT 1')]],
    ['that is none', false, [query('SELECT 1'), data]],
    ['that is not whole', false, [query('SELECT 1'), terminate.subarray(0, 4)]],
  ])('%s', (_, expected, pieces) => {
    const { messages } = start();
    for (const piece of pieces) messages.push(piece);
    expect(messages.saysGoodbye).toBe(expected);
  });

  test('is looked for after a message of which a part is taken', () => {
    const { messages, taken } = start();
    messages.push(data.subarray(0, 50));
    expect(taken()).toBe('d');
    messages.push(data.subarray(50));
    expect(messages.saysGoodbye).toBe(false);
    messages.push(terminate);
    expect(messages.saysGoodbye).toBe(true);
  });
});
