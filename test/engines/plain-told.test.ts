/** What the client, the record and the metrics are told of plain statements: of those that are done once more, too, and those cut short. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { RawClient } from '../support/raw-client.js';
import { startGated } from './gated.js';
import { GATES } from './gates.js';
import { behind, left, SHOP, TABLES, trigger } from './shop.js';
import { startBefore } from './twin-sides.js';

test.each([
  ['simple', query('DELETE FROM orders WHERE id = 1')],
  ['extended', Buffer.concat([run('DELETE FROM orders WHERE id = $1', ['1']), sync])],
])('%s: a notice of what was done once more comes once, and each retry is counted', async (_, sent) => {
  const notice = "RAISE NOTICE 'on its way'";
  const body = (until: number) =>
    `${notice}; IF nextval('tries') <= ${until} THEN RAISE '1023 Serializable isolation violation on table'; END IF`;
  const gated = await startGated(GATES.redshift, [
    ...TABLES,
    'CREATE SEQUENCE tries',
    ...trigger('items', body(2)),
  ]);
  onTestFinished(() => gated.close());
  const proxy = await startBefore(gated, [SHOP], 'public', { admin: { listen: '127.0.0.1:0' } });
  const client = await RawClient.login(proxy, { database: gated.database });
  const told = (await client.told(sent)).join();
  expect(told.split('M=on its way')).toHaveLength(2);
  expect(told).toMatch(/M=on its way.*C DELETE 1/);
  expect(await left({ query: gated.load })).toEqual(['1', '1']);
  const metrics = await (await fetch(`http://${proxy.app.admin}/metrics`)).text();
  expect(metrics).toContain('pgcascade_retries_total{reason="othersConflict"} 2\n');
});

test.each([
  ['fails again and again', "RAISE '1023 Serializable isolation violation'"],
  ['fails at once', "RAISE 'no'"],
])('the notices of a run that %s come before its error, and of none before', async (_, error) => {
  const gated = await startGated(GATES.redshift, [
    ...TABLES,
    ...trigger('items', `RAISE NOTICE 'on its way'; ${error}`),
  ]);
  onTestFinished(() => gated.close());
  const proxy = await startBefore(gated, [SHOP], 'public');
  const client = await RawClient.login(proxy, { database: gated.database });
  const told = (await client.told(query('DELETE FROM orders WHERE id = 1'))).join();
  expect(told.split('M=on its way')).toHaveLength(2);
  expect(told).toMatch(/M=on its way.*M=(?:1023|no)/);
  expect(await left({ query: gated.load })).toEqual(['2', '3']);
});

test('the record has the rows of each table, and of what is cut short those that are gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const settings = { cascade: { atomic: false }, audit: { path } };
  const stops = trigger('orders', "RAISE 'no'");
  const { client, gated } = await behind(GATES.cratedb, stops, settings);
  await expect(client.query('DELETE FROM orders WHERE id = 1')).rejects.toThrow('no');
  await gated.load('DROP TRIGGER meanwhile ON orders');
  await client.query('DELETE FROM orders WHERE id = 2');
  await client.query('DELETE FROM orders WHERE id = 9');
  const rows = (items: number, orders: number) => [
    { table: 'public.items', action: 'cascade', rows: items },
    { table: 'public.orders', action: 'delete', rows: orders },
  ];
  const lines = () => readFileSync(path, 'utf8').trim().split('\n');
  await expect.poll(() => lines().length).toBe(3);
  expect(lines().map((line) => JSON.parse(line))).toMatchObject([
    { outcome: 'failed', rows: rows(2, 0) },
    { outcome: 'done', rows: rows(1, 1) },
    { outcome: 'done', rows: rows(0, 0) },
  ]);
});
