/** The packets that open a connection, from clients of every kind and from none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStartupPacket } from '../../src/wire/startup.js';
import { anyText, int32, text } from './bytes.js';

const packet = (code: number, ...parts: readonly Uint8Array[]) => {
  const body = Buffer.concat([int32(code), ...parts]);
  return Buffer.concat([int32(body.length + 4), body]);
};
const parameters = (pairs: readonly (readonly [string, string])[]) =>
  Buffer.concat([...pairs.flat().map(text), Buffer.from([0])]);
const isNone = (bytes: Buffer) => {
  expect(readStartupPacket(bytes)?.packet).toEqual({ kind: 'none' });
};

const VERSION = fc.constantFrom(0x30000, 0x30002, 0x3270f);
const CANCEL = 80877102;
const name = anyText.filter((any) => any !== '');
const pairs = fc.uniqueArray(fc.tuple(name, anyText), { selector: ([key]) => key, maxLength: 8 });
const key = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const opening = fc.oneof(
  fc.tuple(VERSION, pairs).map(([version, given]) => packet(version, parameters(given))),
  fc.tuple(fc.nat(), key(1, 256)).map(([process, secret]) => packet(CANCEL, int32(process), secret)),
  fc.constantFrom(80877103, 80877104).map((code) => packet(code)),
);

describe('a startup packet', () => {
  test('in any split is read when its last byte is there, and not before', () => {
    fc.assert(
      fc.property(opening, fc.uint8Array({ maxLength: 20 }), (bytes, behind) => {
        const whole = readStartupPacket(bytes);
        expect(whole?.size).toBe(bytes.length);
        for (let length = 0; length < bytes.length; length++)
          expect(readStartupPacket(bytes.subarray(0, length))).toBeUndefined();
        expect(readStartupPacket(Buffer.concat([bytes, behind]))).toEqual(whole);
      }),
    );
  });

  test('gives its parameters, and itself byte for byte', () => {
    fc.assert(
      fc.property(VERSION, pairs, (version, given) => {
        const bytes = packet(version, parameters(given));
        const found = readStartupPacket(bytes);
        expect(found?.packet).toEqual({ kind: 'startup', raw: bytes, parameters: new Map(given) });
      }),
    );
  });

  test('is a copy that outlives what it was read from', () => {
    const bytes = packet(0x30000, parameters([['user', 'me']]));
    const before = Buffer.from(bytes);
    const found = readStartupPacket(bytes);
    bytes.fill(0);
    expect(found?.packet).toMatchObject({ raw: before });
  });

  test('under 8 or over 10,004 bytes is none, as soon as its length is there', () => {
    const lengths = fc.oneof(fc.nat({ max: 7 }), fc.integer({ min: 10_005, max: 0xffffffff }));
    fc.assert(fc.property(lengths, (length) => isNone(int32(length | 0))));
  });

  test('of exactly 8 or 10,004 bytes is not refused for its length', () => {
    expect(readStartupPacket(packet(80877103))?.packet).toEqual({ kind: 'ssl' });
    const long = packet(0x30000, parameters([['options', 'x'.repeat(9986)]]));
    expect(long.length).toBe(10_004);
    expect(readStartupPacket(long)?.size).toBe(10_004);
  });

  test.each([
    ['without a terminator', 'user\0me', [['user', 'me']]],
    [
      'whose last value has no terminator of its own',
      'user\0me\0database\0',
      [
        ['user', 'me'],
        ['database', ''],
      ],
    ],
    ['with nothing at all', '', []],
    ['with something after its end', 'user\0me\0\0database\0other\0', [['user', 'me']]],
  ] as const)('with parameters %s is the server’s to refuse', (_, body, found) => {
    const bytes = packet(0x30000, Buffer.from(body));
    expect(readStartupPacket(bytes)?.packet).toEqual({
      kind: 'startup',
      raw: bytes,
      parameters: new Map(found),
    });
  });

  test('of another protocol than 3 is the server’s to refuse', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 0xffff }).filter((major) => major !== 3 && major !== 1234),
        (major) => {
          const bytes = packet((major << 16) | 0, parameters([['user', 'me']]));
          expect(readStartupPacket(bytes)?.packet).toEqual({ kind: 'foreign', raw: bytes });
        },
      ),
    );
  });
});

describe('a cancel request', () => {
  test('with a key of up to 256 bytes is read, and the key is all of it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x7fffffff }), key(1, 256), (process, secret) => {
        const bytes = packet(CANCEL, int32(process), secret);
        const found = readStartupPacket(bytes)?.packet;
        const hex = Buffer.concat([int32(process), secret]).toString('hex');
        expect(found).toEqual({ kind: 'cancel', raw: bytes, key: hex });
      }),
    );
  });

  test('with none or a longer one is no packet', () => {
    fc.assert(
      fc.property(fc.oneof(key(0, 0), key(257, 400)), (secret) => isNone(packet(CANCEL, int32(1), secret))),
    );
  });
});

test('a request for encryption with something in it is one all the same', () => {
  expect(readStartupPacket(packet(80877103, Buffer.from('x')))?.packet).toEqual({ kind: 'ssl' });
});
