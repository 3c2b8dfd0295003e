import { describe, expect, test } from 'vitest';
import { GraphCache, type Watch } from '../../src/graph/cache.js';
import { Graph } from '../../src/graph/graph.js';

const HOUR = 3_600_000;
const moment = (cache: GraphCache, server?: string) => cache.readPoint('shop', server, cache.arrival);

describe('a fingerprint', () => {
  test('is remembered for as long as graph.refresh', async () => {
    const [long, none] = [new GraphCache(HOUR), new GraphCache(0)];
    for (const cache of [long, none]) cache.recordFingerprint('shop', 'old', await moment(cache));
    expect(long.currentFingerprint('shop', await moment(long))).toBe('old');
    expect(none.currentFingerprint('shop', await moment(none))).toBeUndefined();
  });

  test('is forgotten when a session changed the schema', async () => {
    const cache = new GraphCache(HOUR);
    cache.recordFingerprint('shop', 'old', await moment(cache));
    cache.invalidate('shop');
    expect(cache.currentFingerprint('shop', await moment(cache))).toBeUndefined();
  });

  test('is not remembered where a session changed the schema while another waited for the answer', async () => {
    const cache = new GraphCache(HOUR);
    const asked = await moment(cache);
    cache.invalidate('shop');
    cache.recordFingerprint('shop', 'old', asked);
    expect(cache.currentFingerprint('shop', await moment(cache))).toBeUndefined();
  });

  test('is remembered where a session changed the schema of another database meanwhile', async () => {
    const cache = new GraphCache(HOUR);
    const asked = await moment(cache);
    for (let i = 0; i < 3; i++) cache.invalidate('market');
    cache.recordFingerprint('shop', 'old', asked);
    expect(cache.currentFingerprint('shop', await moment(cache))).toBe('old');
  });

  test('is not remembered after a change, however many other databases were changed since', async () => {
    const cache = new GraphCache(HOUR);
    const asked = await moment(cache);
    cache.invalidate('shop');
    for (let i = 0; i < 2000; i++) cache.invalidate(`database ${i}`);
    cache.recordFingerprint('shop', 'old', asked);
    expect(cache.currentFingerprint('shop', await moment(cache))).toBeUndefined();
  });
});

describe('graphs', () => {
  const graph = new Graph(new Map(), [], [], []);
  const MIB = 1024 * 1024;

  test('are kept by their size, the latest always', () => {
    const cache = new GraphCache(HOUR);
    const kept = (bytes: number) => {
      for (let i = 0; i < 100; i++) cache.set('shop', `${bytes} ${i}`, graph, bytes);
      return Array.from({ length: 100 }, (_, i) => cache.get('shop', `${bytes} ${i}`)).filter(Boolean).length;
    };
    const [small, large, huge] = [kept(MIB / 16), kept(3 * MIB), kept(1000 * MIB)];
    expect([small, huge]).toEqual([100, 1]);
    expect(large * 3 * MIB).toBeLessThan(64 * MIB);
    expect(large).toBeGreaterThan(1);
  });

  test('that many want are read by one after the other, until one has kept it', async () => {
    const cache = new GraphCache(HOUR);
    const turns: string[] = [];
    const want = async (name: string, keeps: boolean) => {
      const end = await cache.turn('shop', 'new');
      turns.push(`${name} ${end === undefined ? 'waited' : 'reads'}`);
      if (end === undefined) return;
      await new Promise(setImmediate);
      if (keeps) cache.set('shop', 'new', graph, 1);
      end();
    };
    await Promise.all([
      want('a', false),
      want('b', false),
      want('c', true),
      want('d', true),
      want('e', true),
    ]);
    expect(turns).toEqual(['a reads', 'b reads', 'c reads', 'd waited', 'e waited']);
  });
});

describe('a fingerprint of a database that tells of its changes', () => {
  /** Tells what it is made to tell. */
  const watch = { server: 'here', begun: 0, told: 1 as number | undefined, changes: async () => watch.told };
  const cacheOf = (refresh: number) => new GraphCache(refresh, watch satisfies Watch);

  test('is remembered until a change is told, whatever graph.refresh says', async () => {
    const cache = cacheOf(0);
    watch.told = 1;
    cache.recordFingerprint('shop', 'old', await moment(cache, 'here'));
    expect(cache.currentFingerprint('shop', await moment(cache, 'here'))).toBe('old');
    watch.told = 2;
    expect(cache.currentFingerprint('shop', await moment(cache, 'here'))).toBeUndefined();
  });

  test('is not remembered beyond a change that was told while the server was asked', async () => {
    const cache = cacheOf(HOUR);
    watch.told = 1;
    const asked = await moment(cache, 'here');
    watch.told = 2;
    cache.recordFingerprint('shop', 'old', asked);
    expect(cache.currentFingerprint('shop', await moment(cache, 'here'))).toBeUndefined();
  });

  test('is worth nothing when changes are no longer told, nor when they are again', async () => {
    const cache = cacheOf(HOUR);
    watch.told = 1;
    cache.recordFingerprint('shop', 'old', await moment(cache, 'here'));
    watch.told = undefined;
    expect(cache.currentFingerprint('shop', await moment(cache, 'here'))).toBeUndefined();
    cache.recordFingerprint('shop', 'older', await moment(cache, 'here'));
    watch.told = 2;
    expect(cache.currentFingerprint('shop', await moment(cache, 'here'))).toBeUndefined();
  });

  test('is not remembered for sessions that are elsewhere', async () => {
    const cache = cacheOf(HOUR);
    watch.told = 1;
    cache.recordFingerprint('shop', 'old', await moment(cache, 'here'));
    expect(cache.currentFingerprint('shop', await moment(cache, 'there'))).toBeUndefined();
    expect(cache.currentFingerprint('shop', await moment(cache))).toBeUndefined();
  });
});
