/** With `pgcascade install` and graph.url: no change of the schema is missed, however many come one after the other. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseGraphUrl } from '../../src/config/graph-url.js';
import { install } from '../../src/graph/watch/install.js';
import { useDatabase } from '../support/database.js';
import { parse, runPrepared, sync } from '../support/frontend-messages.js';
import { type RunningProxy, startProxy } from '../support/proxy.js';
import { RawClient } from '../support/raw-client.js';

const ADD_KEY = `ALTER TABLE child ADD CONSTRAINT child_fkey
  FOREIGN KEY (parent_id) REFERENCES parent ON DELETE CASCADE NOT ENFORCED`;
const DROP_KEY = 'ALTER TABLE child DROP CONSTRAINT child_fkey';

const database = useDatabase(`
  CREATE TABLE parent (id int PRIMARY KEY);
  CREATE TABLE child (id int PRIMARY KEY, parent_id int);`);
const proxies: RunningProxy[] = [];

beforeAll(async () => {
  await install(parseGraphUrl(database.url));
  // They are told of changes, and notice none by waiting.
  for (let i = 0; i < 2; i++) proxies.push(await startProxy({ graph: { refresh: '1h', url: database.url } }));
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.stop();
});

const remove = (client: RawClient, id: number) => client.told(runPrepared('d', [String(id)]), sync);

/** A session that keeps its prepared DELETE. */
async function warm(proxy: RunningProxy): Promise<RawClient> {
  const client = await RawClient.login(proxy, { database: database.name });
  await client.ask(parse('DELETE FROM parent WHERE id = $1', 'd'), sync);
  return client;
}

test('a key that comes and goes 200 times decides for the very next DELETE through either proxy', async () => {
  const direct = await database.connect();
  const sessions = await Promise.all(proxies.map(warm));
  const wrong: number[] = [];
  for (let i = 0; i < 200; i++) {
    await direct.query(`INSERT INTO parent VALUES (${i}); INSERT INTO child VALUES (${i}, ${i})`);
    for (const session of sessions) await remove(session, -1);
    await direct.query(i % 2 === 0 ? ADD_KEY : DROP_KEY);
    // Each sees the key come and go.
    const session = sessions[i % 4 < 2 ? 0 : 1];
    if (session) await remove(session, i);
    const { rows } = await direct.query(`SELECT count(*)::int AS left FROM child WHERE id = ${i}`);
    if (rows[0].left !== i % 2) wrong.push(i);
  }
  expect(wrong).toEqual([]);
});
