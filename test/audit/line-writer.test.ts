import { expect, test } from 'vitest';
import { LineWriter } from '../../src/audit/line-writer.js';
import { until } from '../support/until.js';

/** Of a place: fails where the error is one. */
type Attempt = () => Error | undefined;

/**
 * A writer to a place that takes what `take` says of each buffer: so many bytes, or an error.
 * @param reopens whether the place can be opened anew; `closes`, whether it can be closed; and `isOne`, whether it is the same then
 */
async function writing(
  take: (text: Buffer) => number | Error,
  {
    reopens = () => undefined,
    closes = () => undefined,
    isOne = false,
  }: { reopens?: Attempt; closes?: Attempt; isOne?: boolean } = {},
) {
  const [told, places] = [[] as string[], [] as string[]];
  const attempt = (error: Error | undefined) => {
    if (error) throw error;
  };
  const open = async () => {
    if (places.length > 0) attempt(reopens());
    const place = places.push('') - 1;
    return {
      place: places.length > 1 && isOne ? '0' : String(place),
      async write(text: Buffer) {
        const taken = take(text);
        if (taken instanceof Error) throw taken;
        places[place] += text.toString('utf8', 0, taken);
        return taken;
      },
      close: async () => attempt(closes()),
    };
  };
  const writer = new LineWriter(open, {
    failed: () => void told.push('failed'),
    recovered: () => void told.push('recovered'),
    lost: () => void told.push('lost'),
  });
  await writer.start();
  return { writer, told, places };
}

test('lines are written whole and in their order, however few bytes are taken at a time', async () => {
  const { writer, told, places } = await writing((text) => Math.min(text.length, 3));
  for (const line of ['one', 'twö', 'three']) writer.write(line);
  await writer.close();
  expect(places).toEqual(['one\ntwö\nthree\n']);
  expect(told).toEqual([]);
});

test('a failure is told once, and so is that it goes well again: nothing is lost', async () => {
  let failures = 1;
  const { writer, told, places } = await writing((text) =>
    failures-- > 0 ? new Error('no space') : text.length,
  );
  writer.write('one');
  await until('it has failed', () => told.length > 0);
  expect(writer.isWell).toBe(false);
  writer.write('two');
  await until('it is well', () => writer.isWell);
  await writer.close();
  expect(places).toEqual(['one\ntwo\n']);
  expect(told).toEqual(['failed', 'recovered']);
});

test('what waits is bounded: what is more is lost, and told', async () => {
  const { writer, told } = await writing(() => new Error('no space'));
  for (let i = 0; i < 20; i++) writer.write('x'.repeat(1024 * 1024));
  expect(told.filter((each) => each === 'lost')).toHaveLength(5);
  await writer.close();
});

test('a place that is opened anew gets what comes after', async () => {
  const { writer, places } = await writing((text) => text.length);
  writer.write('before');
  await writer.reopen();
  writer.write('after');
  await writer.close();
  expect(places).toEqual(['before\n', 'after\n']);
});

test.each([
  ['another file is written there whole', false, ['one\ntwo\nth', 'three\nfour\n']],
  ['the same file is gone on with', true, ['one\ntwo\nth', 'ree\nfour\n']],
])('a line that was cut where the disk was full, and is opened anew: %s', async (_, isOne, expected) => {
  let room = 10;
  const fill = (text: Buffer) => {
    const taken = Math.min(text.length, room, 4);
    room -= taken;
    return taken > 0 ? taken : new Error('no space');
  };
  const { writer, told, places } = await writing(fill, { isOne });
  for (const line of ['one', 'two', 'three']) writer.write(line);
  await until('it has failed', () => told.length > 0);
  room = 100;
  await writer.reopen();
  writer.write('four');
  await writer.close();
  expect(places).toEqual(expected);
});

test('a place that cannot be opened anew is tried again, and it goes well as soon as it is open: no line is needed for that', async () => {
  let failures = 1;
  const { writer, told, places } = await writing((text) => text.length, {
    reopens: () => (failures-- > 0 ? new Error('no such folder') : undefined),
  });
  await writer.reopen();
  writer.write('meanwhile');
  expect(writer.isWell).toBe(false);
  await until('it is well', () => writer.isWell);
  writer.write('after');
  await writer.close();
  expect(places).toEqual(['meanwhile\n', 'after\n']);
  expect(told).toEqual(['failed', 'recovered']);
});

test('a place that cannot be closed is told, and the next one is written to', async () => {
  let failures = 1;
  const { writer, told, places } = await writing((text) => text.length, {
    closes: () => (failures-- > 0 ? new Error('input/output error') : undefined),
  });
  await writer.reopen();
  writer.write('after');
  await writer.close();
  expect(places).toEqual(['', 'after\n']);
  expect(told).toEqual(['failed', 'recovered']);
});

test('a place is not opened anew when the writer is closed', async () => {
  const { writer, places } = await writing((text) => text.length);
  const reopened = writer.reopen();
  await writer.close();
  await writer.reopen();
  await reopened;
  expect(places).toEqual(['']);
});
