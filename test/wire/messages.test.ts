/** Messages that the proxy reads or rewrites: nothing but what was meant changes, and nothing is read beyond their end. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asksForAnswer, offerForRelay } from '../../src/wire/authentication.js';
import {
  commandComplete,
  dropColumns,
  dropFields,
  errorResponse,
  readColumnNames,
  readColumns,
  readErrorFields,
  readParameterStatus,
  readParameterTypes,
  readRow,
  readTag,
} from '../../src/wire/backend.js';
import {
  queryText,
  readBind,
  readExecute,
  readParse,
  readTarget,
  withResultFormats,
  write,
} from '../../src/wire/frontend.js';
import { type Message, ProtocolViolation } from '../../src/wire/reader.js';
import { anyText, asRead, int16, int32, list, text, typed, value } from './bytes.js';

/** A name as the proxy knows it: a character for each of its bytes. */
const named = (name: string) => Buffer.from(name).toString('latin1');

const bytes = fc.uint8Array({ maxLength: 20 });
const values = fc.array(fc.option(bytes), { maxLength: 8 });
const formats = fc.array(fc.constantFrom(0, 1), { maxLength: 8 });
const binding = fc.record({ portal: anyText, statement: anyText, formats, values, results: formats });

const bind = (each: typeof binding extends fc.Arbitrary<infer T> ? T : never) =>
  typed(
    'B',
    text(each.portal),
    text(each.statement),
    list(each.formats.map(int16)),
    list(each.values.map(value)),
    list(each.results.map(int16)),
  );

describe('withResultFormats', () => {
  test('puts other result formats into a Bind and leaves the rest as it is', () => {
    fc.assert(
      fc.property(binding, formats, (given, results) => {
        const seen: (readonly number[])[] = [];
        const changed = withResultFormats(asRead(bind(given)), (before) => {
          seen.push(before);
          return results;
        });
        expect(seen).toEqual([given.results]);
        expect(changed).toEqual(bind({ ...given, results }));
      }),
    );
  });

  test('that changes nothing gives the same bytes', () => {
    fc.assert(
      fc.property(binding, (given) => {
        expect(withResultFormats(asRead(bind(given)), (same) => same)).toEqual(bind(given));
      }),
    );
  });
});

describe('a row', () => {
  const row = (columns: readonly (Uint8Array | null)[]) => typed('D', list(columns.map(value)));

  test('reads as it was written', () => {
    fc.assert(
      fc.property(values, (columns) => {
        const expected = columns.map((each) => each && Buffer.from(each));
        expect(readRow(asRead(row(columns)))).toEqual(expected);
      }),
    );
  });

  test('without its first columns has the others as they were', () => {
    fc.assert(
      fc.property(values, values, (hidden, columns) => {
        expect(dropColumns(asRead(row([...hidden, ...columns])), hidden.length)).toEqual(row(columns));
      }),
    );
  });
});

describe('a RowDescription', () => {
  const field = fc
    .tuple(anyText, fc.uint8Array({ minLength: 18, maxLength: 18 }))
    .map(([name, rest]) => Buffer.concat([text(name), rest]));
  const fields = fc.array(field, { maxLength: 8 });
  const description = (given: readonly Buffer[]) => typed('T', list(given));

  test('without its first fields has the others as they were', () => {
    fc.assert(
      fc.property(fields, fields, (hidden, rest) => {
        const all = description([...hidden, ...rest]);
        expect(dropFields(asRead(all), hidden.length)).toEqual(description(rest));
      }),
    );
  });
});

describe('an error', () => {
  const letter = fc.constantFrom(...'SVCMDHPpqWstcdnFLR');
  const fields = fc
    .uniqueArray(fc.tuple(letter, anyText), { selector: ([code]) => code })
    .map((all) => new Map(all));

  test('has the same fields in the same order when it was written and read', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const read = readErrorFields(asRead(errorResponse(given)));
        const bytes = [...given].map(([code, each]) => [code, text(each).toString('latin1')]);
        expect([...read].map(([code, each]) => [code, `${each}\0`])).toEqual(bytes);
      }),
    );
  });

  test('of the server is written as it was read', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const parts = [...given].map(([code, each]) => text(`${code}${each}`));
        const sent = typed('E', ...parts, Buffer.from([0]));
        expect(errorResponse(readErrorFields(asRead(sent)), 'latin1')).toEqual(sent);
      }),
    );
  });

  test('that ends too early gives the fields that are whole', () => {
    const sent = typed('E', text('SERROR'), Buffer.from('Mhalf a mess'));
    expect([...readErrorFields(asRead(sent))]).toEqual([['S', 'ERROR']]);
  });
});

test('a tag and a parameter read as they were written', () => {
  fc.assert(
    fc.property(fc.nat(), anyText, anyText, (rows, name, setting) => {
      expect(readTag(asRead(commandComplete(`DELETE ${rows}`)))).toBe(`DELETE ${rows}`);
      const status = asRead(typed('S', text(name), text(setting)));
      expect(readParameterStatus(status)).toEqual({ name, value: setting });
    }),
  );
});

describe('what a client sends', () => {
  const oid = fc.integer({ min: 0, max: 0x7fffffff });

  test('reads as it was written', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.array(oid, { maxLength: 8 }), (name, sql, types) => {
        const parse = readParse(asRead(typed('P', text(name), text(sql), list(types.map(int32)))));
        expect({ ...parse, text: parse?.text.toString() }).toEqual({ name: named(name), text: sql, types });
        expect(queryText(asRead(typed('Q', text(sql))))?.toString()).toBe(sql);
        const execute = typed('E', text(name), int32(types.length));
        expect(readExecute(asRead(execute))).toEqual({ portal: named(name), rows: types.length });
        for (const kind of ['S', 'P'] as const)
          expect(readTarget(asRead(typed('D', Buffer.from(kind), text(name))))).toEqual({
            kind,
            name: named(name),
          });
      }),
    );
    fc.assert(
      fc.property(binding, (given) => {
        const { portal, statement, results } = given;
        expect(readBind(asRead(bind(given)))).toMatchObject({
          portal: named(portal),
          statement: named(statement),
          resultFormats: results,
        });
      }),
    );
  });

  test('is written for the server as it can be read', () => {
    fc.assert(
      fc.property(anyText.map(named), anyText, fc.array(oid, { maxLength: 8 }), (name, sql, types) => {
        const parse = readParse(asRead(write.parse(name, sql, types)));
        expect({ ...parse, text: parse?.text.toString() }).toEqual({ name, text: sql, types });
        expect(readExecute(asRead(write.execute(name)))).toEqual({ portal: name, rows: 0 });
        expect(readTarget(asRead(write.close('P', name)))).toEqual({ kind: 'P', name });
      }),
    );
  });

  const readers = {
    Query: queryText,
    Parse: readParse,
    Bind: readBind,
    Describe: readTarget,
    Execute: readExecute,
  };
  const sound: readonly (readonly [keyof typeof readers, Buffer])[] = [
    ['Query', typed('Q', text('SELECT 1'))],
    ['Parse', typed('P', text('n'), text('SELECT $1'), list([int32(23)]))],
    [
      'Bind',
      bind({ portal: 'p', statement: 's', formats: [1], values: [Buffer.from('v'), null], results: [1] }),
    ],
    ['Describe', typed('D', Buffer.from('S'), text('n'))],
    ['Execute', typed('E', text('p'), int32(1))],
  ];

  test.each(Object.entries(readers))('is read as %s up to its end, or not at all', (_, read) => {
    // Bytes that often are half of something: terminators, lengths that are small, huge or negative.
    const likely = fc.constantFrom(0, 0, 0, 0, 1, 2, 0x50, 0x53, 0x80, 0xff);
    const body = fc.array(fc.oneof(likely, fc.nat({ max: 255 })), { maxLength: 30 });
    const reads = (bytes: Buffer) => read(asRead(bytes)) !== undefined;
    fc.assert(
      fc.property(body, fc.nat({ max: 255 }), (content, more) => {
        const bytes = typed('B', Buffer.from(content));
        if (reads(bytes)) expect(reads(typed('B', Buffer.from([...content, more])))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(sound)('as %s is whole or not read, and never longer', (type, sent) => {
    const read: (message: Message) => unknown = readers[type];
    expect(read(asRead(sent))).toBeDefined();
    for (let length = 5; length < sent.length; length++)
      expect(read(asRead(sent.subarray(0, length)))).toBeUndefined();
    for (const more of ['\0', 'x', ' AND c\0'])
      expect(read(asRead(Buffer.concat([sent, Buffer.from(more)])))).toBeUndefined();
  });

  test('as Bind with a length that is none is not read', () => {
    const broken = typed('B', text(''), text(''), list([]), int16(1), int32(-2), list([]));
    expect(readBind(asRead(broken))).toBeUndefined();
    expect(() => withResultFormats(asRead(broken), (same) => same)).toThrow(ProtocolViolation);
  });

  test('as Describe or Close of neither a statement nor a portal is not read', () => {
    expect(readTarget(asRead(typed('D', Buffer.from('X'), text('n'))))).toBeUndefined();
  });
});

describe("a server's message whose counts and lengths go beyond its end", () => {
  const field = Buffer.concat([text('id'), Buffer.alloc(18)]);
  test.each([
    ['a row of fewer columns than it says', () => readRow(asRead(typed('D', int16(3), value(null))))],
    ['a row that ends inside of a value', () => readRow(asRead(typed('D', int16(1), int32(9), text('x'))))],
    ['a row with a negative length', () => readRow(asRead(typed('D', int16(1), int32(-2))))],
    ['an empty row', () => readRow(asRead(typed('D')))],
    ['a row without the column to drop', () => dropColumns(asRead(typed('D', int16(1))), 1)],
    [
      'a description without the column to drop',
      () => dropFields(asRead(typed('T', int16(1), text('i'))), 1),
    ],
    ['a description without columns that it says', () => readColumns(asRead(typed('T', int16(2), field)), 0)],
    ['a name without an end', () => readColumnNames(asRead(typed('T', int16(1), Buffer.from('id'))))],
    ['parameters without types', () => readParameterTypes(asRead(typed('t', int16(2), int32(23))))],
    ['an empty request for a password', () => asksForAnswer(asRead(typed('R')))],
    ['an empty offer', () => offerForRelay(asRead(typed('R', int16(0))))],
  ])('is refused, and nothing is read of its neighbour: %s', (_, read) => {
    expect(read).toThrow(ProtocolViolation);
  });
});
