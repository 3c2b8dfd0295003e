/** Framing: messages come out as they were sent, however the bytes arrive, and what is no message comes to nothing. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MessageReader, ProtocolViolation } from '../../src/wire/reader.js';
import { BACKEND_TYPES, FRONTEND_TYPES } from '../../src/wire/types.js';
import { cutAt, cuts, int32, typed } from './bytes.js';

const LIMIT = 10_000;
const STREAMED = 'd';

interface Came {
  readonly type: string;
  readonly bytes: string;
  /** In how many pieces it came. */
  pieces: number;
}

const reader = (limit = LIMIT) =>
  new MessageReader(FRONTEND_TYPES, (type) => String.fromCharCode(type) === STREAMED, limit);

/** Feeds the pieces one after the other, and puts streamed messages together again. */
function read(pieces: readonly Buffer[], reads = reader()): Came[] {
  const messages: Came[] = [];
  let open: Came | undefined;
  for (const piece of pieces) {
    reads.push(piece);
    for (let message = reads.next(); message; message = reads.next()) {
      const type = String.fromCharCode(message.type);
      const bytes = message.buffer.toString('latin1', message.start, message.end);
      open = open
        ? { type: open.type, bytes: open.bytes + bytes, pieces: open.pieces + 1 }
        : { type, bytes, pieces: 1 };
      expect(type).toBe(open.type);
      if (!message.last) continue;
      messages.push(open);
      open = undefined;
    }
    expect(reads.next()).toBeUndefined();
  }
  return messages;
}

const message = fc
  .record({
    type: fc.constantFrom(...[...FRONTEND_TYPES].map((type) => String.fromCharCode(type)), STREAMED),
    body: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ type, body }) => typed(type, body));
const stream = fc.array(message, { maxLength: 20 });
const asSent = (messages: readonly Buffer[]) =>
  messages.map((bytes) => ({ type: bytes.toString('latin1', 0, 1), bytes: bytes.toString('latin1') }));
const withoutPieces = (messages: readonly Came[]) => messages.map(({ type, bytes }) => ({ type, bytes }));

describe('a stream of messages', () => {
  test('in any split gives the same messages', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, places) => {
        const came = read(cutAt(Buffer.concat(messages), places));
        expect(withoutPieces(came)).toEqual(asSent(messages));
      }),
    );
  });

  test('byte by byte gives the same messages', () => {
    fc.assert(
      fc.property(stream, (messages) => {
        const bytes = Buffer.concat(messages);
        const came = read(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)));
        expect(withoutPieces(came)).toEqual(asSent(messages));
      }),
      { numRuns: 20 },
    );
  });

  test('gives each message in one piece, but for streamed ones that are not whole yet', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, places) => {
        for (const { type, pieces } of read(cutAt(Buffer.concat(messages), places)))
          if (type !== STREAMED) expect(pieces).toBe(1);
        for (const { pieces } of read([Buffer.concat(messages)])) expect(pieces).toBe(1);
      }),
    );
  });

  test('is midway exactly where a part of a streamed message was given, and its end was not', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, places) => {
        const reads = reader();
        const sent = Buffer.concat(messages);
        // Nothing is given before the header is whole.
        const inside = new Set<number>();
        let start = 0;
        for (const bytes of messages) {
          const streamed = bytes.toString('latin1', 0, 1) === STREAMED;
          for (let at = 5; streamed && at < bytes.length; at++) inside.add(start + at);
          start += bytes.length;
        }
        let fed = 0;
        for (const piece of cutAt(sent, places)) {
          reads.push(piece);
          while (reads.next());
          fed += piece.length;
          expect(reads.midway).toBe(inside.has(fed));
        }
      }),
    );
  });

  test('passes a streamed message on as it comes, not when it is whole', () => {
    const reads = reader();
    const bytes = typed(STREAMED, Buffer.alloc(1000, 'x'));
    reads.push(bytes.subarray(0, 600));
    const first = reads.next();
    expect(first && [first.end - first.start, first.last]).toEqual([600, false]);
    reads.push(bytes.subarray(600));
    const second = reads.next();
    expect(second && [second.end - second.start, second.last]).toEqual([bytes.length - 600, true]);
  });

  test('may stop being streamed between two messages, never inside of one', () => {
    let streamed = true;
    const reads = new MessageReader(FRONTEND_TYPES, () => streamed, LIMIT);
    const query = typed('Q', Buffer.from('SELECT 1\0'));
    reads.push(query.subarray(0, 8));
    expect(reads.next()?.last).toBe(false);
    streamed = false;
    reads.push(Buffer.concat([query.subarray(8), query.subarray(0, 8)]));
    expect(reads.next()?.last).toBe(true);
    expect(reads.next()).toBeUndefined();
    reads.push(query.subarray(8));
    const whole = reads.next();
    expect(whole?.buffer.subarray(whole.start, whole.end)).toEqual(query);
  });

  test('of the server has all types of the protocol', () => {
    const reads = new MessageReader(BACKEND_TYPES, () => false, LIMIT);
    const letters = [...'RK23CWdcGHDIEVvnNAtS1sZT'];
    reads.push(Buffer.concat(letters.map((letter) => typed(letter))));
    expect(letters.map(() => String.fromCharCode(reads.next()?.type ?? 0))).toEqual(letters);
  });
});

describe('a protocol violation is', () => {
  const violates = (before: readonly Buffer[], header: Buffer, places: readonly number[]) => {
    const pieces = cutAt(Buffer.concat([...before, header]), places);
    const reads = reader();
    expect(() => read(pieces, reads)).toThrow(ProtocolViolation);
  };
  const anyType = fc.constantFrom(...[...FRONTEND_TYPES].map((type) => String.fromCharCode(type)));
  const header = (type: number | string, length: number) =>
    Buffer.concat([typeof type === 'number' ? Buffer.from([type]) : Buffer.from(type), int32(length | 0)]);

  test('a length under 4, wherever it stands', () => {
    fc.assert(
      fc.property(stream, anyType, fc.nat({ max: 3 }), cuts, (before, type, length, places) => {
        violates(before, header(type, length), places);
      }),
    );
  });

  test('a length over the limit, told from the header alone', () => {
    fc.assert(
      fc.property(
        stream,
        anyType,
        fc.integer({ min: LIMIT + 1, max: 0xffffffff }),
        cuts,
        (before, type, length, places) => violates(before, header(type, length), places),
      ),
    );
  });

  test('a type that the side does not send, told from the header alone', () => {
    const unknown = fc.nat({ max: 255 }).filter((type) => !FRONTEND_TYPES.has(type));
    fc.assert(
      fc.property(stream, unknown, fc.integer({ min: 4, max: LIMIT }), cuts, (before, type, length, places) =>
        violates(before, header(type, length), places),
      ),
    );
  });

  test('found after the messages before it, which are given first', () => {
    const reads = reader();
    reads.push(Buffer.concat([typed('S'), typed('H'), header('Q', 3)]));
    expect(reads.next()?.type).toBe('S'.charCodeAt(0));
    expect(reads.next()?.type).toBe('H'.charCodeAt(0));
    expect(() => reads.next()).toThrow(ProtocolViolation);
  });

  test('not a length of exactly the limit', () => {
    const bytes = typed('Q', Buffer.alloc(LIMIT - 4, 'x'));
    expect(withoutPieces(read([bytes]))).toEqual(asSent([bytes]));
  });
});

describe('of a message that is not whole', () => {
  const DECLARED = 0x3fffffff;
  const begun = () => {
    const reads = reader(DECLARED);
    reads.push(Buffer.concat([Buffer.from('Q'), int32(DECLARED)]));
    expect(reads.next()).toBeUndefined();
    return reads;
  };

  test.each([
    1, 7, 1000, 65_536,
  ])('no more than twice what has come is kept, in pieces of %i bytes', (size) => {
    const reads = begun();
    const piece = Buffer.alloc(size, 'x');
    let most = 0;
    for (let came = 5; came < 300_000; came += size) {
      most = Math.max(most, reads.buffered / came);
      reads.push(piece);
      reads.next();
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });

  test('each byte is copied no more than twice on an average, in however many pieces it comes', () => {
    const copied = vi.spyOn(Buffer.prototype, 'copy');
    onTestFinished(() => copied.mockRestore());
    const reads = begun();
    const piece = Buffer.from('x');
    const came = 200_000;
    for (let i = 0; i < came; i++) reads.push(piece);
    const bytes = copied.mock.results.reduce((sum, { value }) => sum + Number(value), 0);
    expect(bytes).toBeGreaterThanOrEqual(came);
    expect(bytes).toBeLessThan(3 * came);
  });

  test('nothing is kept when it has come', () => {
    const reads = reader();
    const bytes = typed('Q', Buffer.alloc(5000, 'x'));
    for (const piece of cutAt(bytes, [0.1, 0.5, 0.9])) {
      reads.push(piece);
      reads.next();
    }
    expect(reads.buffered).toBe(0);
  });
});
