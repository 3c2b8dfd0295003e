import { expect, test } from 'vitest';
import { reports } from '../../src/admin/reports.js';
import { configSchema } from '../../src/config/schema.js';

/** The page of the metrics, whose text says how often it was made. */
function metrics(make: (made: number) => Promise<string>) {
  let [made, time] = [0, 0];
  const pages = reports(
    {
      metrics: () => make(++made),
      metricsType: 'text/plain',
      sessions: () => [],
      graphs: () => [],
      config: () => configSchema.parse({ upstream: 'embedded' }),
    },
    () => time,
  );
  const ask = async () => (await pages.get('/metrics')?.())?.body;
  return { ask, pass: (milliseconds: number) => (time += milliseconds) };
}

test('a report is made once a second, however many ask', async () => {
  const { ask, pass } = metrics(async (made) => `made ${made}`);
  const asked = await Promise.all(Array.from({ length: 50 }, ask));
  pass(999);
  expect(new Set([...asked, await ask()])).toEqual(new Set(['made 1']));
  pass(1);
  expect(await ask()).toBe('made 2');
});

test('a report that could not be made is made again for the next one who asks', async () => {
  const { ask } = metrics((made) => (made === 1 ? Promise.reject(new Error('no')) : Promise.resolve('made')));
  await expect(ask()).rejects.toThrow('no');
  expect(await ask()).toBe('made');
});
