/** Logins of five clients in the ways that their documentation and PostgreSQL's speak of. The whole matrix: `npm run test:matrix`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMissing } from '../support/programs.js';
import { describeFault, rowsOf, tryRows } from './matrix.js';
import { isThere } from './programs.js';
import { allSettings, CLIENTS, type ClientName, directSettings, pairwise, type Setting } from './rows.js';
import { type Stage, startStage } from './stage.js';

/** Every two values that come together in the whole matrix come together here. */
const PAIRS = pairwise(allSettings());
/** Of the pairs psycopg, whose logins take the least, tries all; of the others each tries every third, and another third. */
const THINNED = 3;
/** What the rule promises is compared with PostgreSQL itself, without a proxy. */
const DIRECT = pairwise(directSettings());
const TELLING: readonly Setting[] = [
  // SCRAM that is bound to the proxy's certificate.
  {
    sslmode: 'verify-full',
    front: 'demands',
    auth: 'proxy',
    upstream: 'verify-full',
    server: 'demands',
    method: 'plus',
  },
  {
    sslmode: 'prefer',
    front: 'offers',
    auth: 'proxy',
    upstream: 'disable',
    server: 'without',
    method: 'plus',
  },
  // It cannot be relayed.
  {
    sslmode: 'require',
    front: 'offers',
    auth: 'relay',
    upstream: 'require',
    server: 'demands',
    method: 'plus',
  },
  {
    sslmode: 'require',
    front: 'offers',
    auth: 'relay',
    upstream: 'disable',
    server: 'without',
    method: 'plus',
  },
  {
    sslmode: 'disable',
    front: 'offers',
    auth: 'relay',
    upstream: 'require',
    server: 'demands',
    method: 'plus',
  },
  // That PostgreSQL has offered it is found out by clients with TLS. One that prefers TLS goes on in clear.
  {
    sslmode: 'require',
    front: 'offers',
    auth: 'relay',
    upstream: 'require',
    server: 'demands',
    method: 'scram',
  },
  {
    sslmode: 'prefer',
    front: 'offers',
    auth: 'relay',
    upstream: 'require',
    server: 'demands',
    method: 'scram',
  },
  // A client that begins in clear comes back over TLS.
  { sslmode: 'allow', front: 'demands', auth: 'cert', upstream: 'allow', server: 'demands', method: 'md5' },
];

function shareOf(client: ClientName, settings: readonly Setting[]): readonly Setting[] {
  if (client === 'psycopg') return settings;
  return settings.filter((_, i) => (i + CLIENTS.indexOf(client)) % THINNED === 0);
}

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

describe.each(CLIENTS)('%s', (client) => {
  if (!isThere(client)) return describeMissing(client, 'it is not installed');
  const ways: readonly (readonly [string, readonly Setting[]])[] = [
    ['straight at PostgreSQL', shareOf(client, DIRECT)],
    ['through the proxy', [...TELLING, ...shareOf(client, PAIRS)]],
  ];
  test.each(ways)('connects, or is refused, as is documented: %s', async (_, settings) => {
    const tried = await tryRows(stage, client, rowsOf(client, settings));
    expect(tried.filter(({ isAsPromised }) => !isAsPromised).map(describeFault)).toEqual([]);
    expect(tried.some(({ expected: { kind } }) => kind === 'connects')).toBe(true);
    expect(tried.some(({ expected: { kind } }) => kind === 'refused')).toBe(true);
  });
});

describe.each(['psql', 'psycopg'] as const)('channel_binding=require of %s', (client) => {
  if (!isThere(client)) return describeMissing(client, 'it is not installed');

  test('works over TLS with auth.mode proxy, and is refused with auth.mode relay', async () => {
    const tried = await tryRows(stage, client, rowsOf(client, TELLING.slice(0, 4)));
    expect(tried.map(({ answer }) => answer)).toEqual([
      expect.stringMatching(/^connects by_plus t/),
      expect.stringMatching(/^connects by_plus f/),
      expect.stringMatching(/^refused .*channel binding is required, but server did not offer/),
      expect.stringMatching(/^refused .*channel binding is required, but server did not offer/),
    ]);
  });
});
