import { expect, test } from 'vitest';
import { LineWriter } from '../../src/audit/line-writer.js';
import { until } from '../support/until.js';

/** A writer to a place that takes what `take` says of each buffer: so many bytes, or an error. */
async function writing(take: (text: Buffer) => number | Error) {
  const [told, places] = [[] as string[], [] as string[]];
  const open = async () => {
    const place = places.push('') - 1;
    return {
      async write(text: Buffer) {
        const taken = take(text);
        if (taken instanceof Error) throw taken;
        places[place] += text.toString('utf8', 0, taken);
        return taken;
      },
      close: async () => {},
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

test('a place that is opened anew gets what comes behind', async () => {
  const { writer, places } = await writing((text) => text.length);
  writer.write('before');
  await writer.reopen();
  writer.write('behind');
  await writer.close();
  expect(places).toEqual(['before\n', 'behind\n']);
});
