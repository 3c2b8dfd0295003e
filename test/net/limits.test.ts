/** Limits by user and database, and on sessions that ask nothing. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { type Login, message, RawClient, readable, startupPacket } from '../support/raw-client.js';
import { until } from '../support/until.js';

const database = useDatabase();

async function start(options: ProxyOptions) {
  const started = await startProxy(options);
  onTestFinished(() => started.stop());
  return started;
}

type Address = Parameters<typeof RawClient.open>[0];

/** What a login comes to: ReadyForQuery, or the fields of the error. */
async function outcome(address: Address, login: Partial<Login> = {}): Promise<string> {
  const client = await RawClient.open(address);
  client.send(startupPacket({ database: database.name, ...login }));
  const told = await client.until('Z').then(
    () => 'in',
    async (error: Error) => error.message,
  );
  return told;
}

describe('limits on clients of one', () => {
  test.each([
    ['user', { per_user: 2 }, { database: 'template1' }, 'M=too many connections for role "postgres"'],
    [
      'database',
      { per_database: 2 },
      { user: 'nobody here' },
      () => `M=too many connections for database "${database.name}"`,
    ],
  ])('%s hold before the login, and until a client is gone', async (what, limits, other, words) => {
    const small = await start({ limits });
    const first = await RawClient.login(small, { database: database.name });
    expect(await outcome(small)).toBe('in');
    const refused = await outcome(small, other);
    expect(refused).toContain(typeof words === 'string' ? words : words());
    expect(refused).toMatch(/C=53300.*D=pgcascade reports PGC_(USER|DATABASE)_CONNECTIONS/);
    const apart = what === 'user' ? { user: 'nobody here' } : { database: 'template1' };
    expect(await outcome(small, apart)).not.toContain('C=53300');
    first.send(message('X'));
    await first.rest();
    expect(await outcome(small)).toBe('in');
  });

  test('user hold when all come at once, and count a client whose login is refused no longer', async () => {
    const small = await start({ limits: { per_user: 2 } });
    const came = await Promise.all(Array.from({ length: 6 }, () => outcome(small)));
    expect(came.filter((each) => each === 'in')).toHaveLength(2);
    const strange = { user: 'nobody here' };
    for (let i = 0; i < 4; i++) expect(await outcome(small, strange)).toContain('C=28000');
  });
});

describe('limits.idle_timeout', () => {
  test('ends an idle session by 57P05, and none in a transaction or at work', async () => {
    const hasty = await start({ limits: { idle_timeout: '100ms' } });
    // A client that asks with its login is never idle before.
    const asks = async (sql: string) => {
      const client = await RawClient.open(hasty);
      client.send(startupPacket({ database: database.name }), query(sql));
      await client.untilReady();
      return client;
    };
    const [open, asking] = [await asks('BEGIN'), await asks('SELECT pg_sleep(0.5)')];
    expect(readable(await open.untilReady())).toContain('C BEGIN');
    const idle = await RawClient.login(hasty, { database: database.name });
    const [told] = readable(await idle.rest());
    expect(told).toMatch(/C=57P05/);
    expect(told).toContain('M=terminating connection due to idle-session timeout');
    expect(readable(await asking.untilReady())).toContain('C SELECT 1');
    expect(await open.told(query('SELECT 1'))).toContain('C SELECT 1');
  });

  test('begins anew with each statement', async () => {
    const hasty = await start({ limits: { idle_timeout: '300ms' } });
    const [busy, idle] = [
      await RawClient.login(hasty, { database: database.name }),
      await RawClient.login(hasty, { database: database.name }),
    ];
    let isOver = false;
    const over = idle.rest().then(() => {
      isOver = true;
    });
    // As long as another one is idle at all.
    while (!isOver) expect(await busy.told(query('SELECT pg_sleep(0.01)'))).toContain('C SELECT 1');
    await over;
  });
});

test('limits.idle_in_transaction is told once in the log and in the metrics, and ends nothing', async () => {
  const watched = await start({
    limits: { idle_in_transaction: '50ms' },
    admin: { listen: '127.0.0.1:0' },
  });
  const client = await RawClient.login(watched, { database: database.name });
  await client.ask(query('BEGIN'));
  await until('it is told', () => watched.log.length > 0);
  expect(watched.log.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'warn', msg: expect.stringMatching(/^a session is idle in a transaction/) },
  ]);
  const metrics = async () => (await fetch(`http://${watched.app.admin}/metrics`)).text();
  expect(await metrics()).toContain('pgcascade_idle_in_transaction_total 1');
  // Another statement, and it is told once more.
  expect(await client.told(query('SELECT 1'))).toContain('C SELECT 1');
  await until('it is told again', () => watched.log.length > 1);
  expect(await client.told(query('COMMIT'))).toContain('C COMMIT');
});
