/** The offer of SASL mechanisms that a client gets which is not on the server's own TLS connection. */
import { expect, test } from 'vitest';
import { asksForAnswer, offerForRelay } from '../../src/wire/authentication.js';
import { ProtocolViolation } from '../../src/wire/reader.js';
import { Backend } from '../../src/wire/types.js';

function sasl(
  code: number,
  rest: string,
): { type: number; buffer: Buffer; start: number; end: number; last: boolean } {
  const body = Buffer.from(rest, 'latin1');
  const bytes = Buffer.concat([Buffer.from('....R'), Buffer.alloc(8), body, Buffer.from('..')]);
  bytes.writeUInt32BE(8 + body.length, 5);
  bytes.writeUInt32BE(code, 9);
  return { type: Backend.Authentication, buffer: bytes, start: 4, end: bytes.length - 2, last: true };
}

test.each([
  ['SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0', 'SCRAM-SHA-256\0\0'],
  ['SCRAM-SHA-256\0SCRAM-SHA-512-PLUS\0OAUTHBEARER\0\0', 'SCRAM-SHA-256\0OAUTHBEARER\0\0'],
])('of %j a client gets %j', (offered, got) => {
  const { buffer, start, end } = sasl(10, got);
  expect(offerForRelay(sasl(10, offered))).toEqual(buffer.subarray(start, end));
});

test.each([
  [10, 'SCRAM-SHA-256\0\0'],
  [10, 'SCRAM-SHA-256-PLUS\0\0'],
  [11, 'r=SCRAM-SHA-256-PLUS\0\0'],
])('message %i with %j stays as it is', (code, text) => {
  expect(offerForRelay(sasl(code, text))).toBeUndefined();
});

test.each([
  [0, false],
  [3, true],
  [10, true],
  [12, false],
])('message %i waits for an answer: %s', (code, waits) => {
  expect(asksForAnswer(sasl(code, ''))).toBe(waits);
});

// The bytes after the message are those of another one: they would be taken for its code, or there are none.
test.each([0, 1, 3])('a message with %i bytes of a code is no protocol', (length) => {
  for (const behind of ['', '\0\0\0\0']) {
    const buffer = Buffer.concat([Buffer.from('R'), Buffer.alloc(4 + length), Buffer.from(behind)]);
    buffer.writeUInt32BE(4 + length, 1);
    const message = { type: Backend.Authentication, buffer, start: 0, end: 5 + length, last: true };
    for (const read of [asksForAnswer, offerForRelay]) expect(() => read(message)).toThrow(ProtocolViolation);
  }
});
