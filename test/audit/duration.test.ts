/** How long a cascade took, as the record says it, whatever carries it out. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { pidOf, untilBlockedBy } from '../support/server-sessions.js';

const database = useDatabase(`
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  INSERT INTO orgs VALUES (1), (2), (3), (4), (5), (6); INSERT INTO users SELECT id, id FROM orgs`);

const BY_NAME: ProxyOptions = {
  profile: 'redshift',
  cascade: {
    relations: [
      { name: 'of_org', from: 'public.users(org_id)', to: 'public.orgs(id)', on_delete: 'cascade' },
    ],
  },
};
const WAYS: readonly (readonly [string, ProxyOptions, number])[] = [
  ['one statement', {}, 1],
  ['ordered statements', { cascade: { strategy: 'ordered' } }, 2],
  ['plain statements', BY_NAME, 3],
];

test.each(
  WAYS.flatMap(([name, options, org]) => [
    { name: `${name}, as a query`, options, text: `DELETE FROM orgs WHERE id = ${org}`, values: [] },
    { name: `${name}, prepared`, options, text: 'DELETE FROM orgs WHERE id = $1', values: [org + 3] },
  ]),
)('$name: the record counts the time for which a cascade waits for a lock', async ({
  options,
  text,
  values,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const proxy = await startProxy({ audit: { path }, ...options });
  const [client, writer, observer] = [
    await proxy.connect(database.name),
    await database.connect(),
    await database.connect(),
  ];
  onTestFinished(async () => {
    await Promise.all([writer.end(), observer.end()]);
  });
  const [waiter, blocker] = [await pidOf(client), await pidOf(writer)];
  await writer.query('BEGIN; UPDATE users SET org_id = org_id');
  const deleted = client.query(text, values);
  await untilBlockedBy(observer, waiter, blocker);
  const since = performance.now();
  for (let i = 0; i < 10; i++) await observer.query('SELECT 1');
  const waited = performance.now() - since;
  await writer.query('COMMIT');
  expect((await deleted).rowCount).toBe(1);
  await proxy.stop();
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '').milliseconds).toBeGreaterThanOrEqual(waited);
});
