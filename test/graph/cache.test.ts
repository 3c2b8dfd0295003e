import { describe, expect, test } from 'vitest';
import { GraphCache } from '../../src/graph/cache.js';

const HOUR = 3_600_000;

describe('a fingerprint', () => {
  test('is remembered for as long as graph.refresh', () => {
    const [long, none] = [new GraphCache(HOUR), new GraphCache(0)];
    for (const cache of [long, none]) cache.saw('shop', 'old', cache.moment());
    expect([long.fresh('shop'), none.fresh('shop')]).toEqual(['old', undefined]);
  });

  test('is forgotten when a session changed the schema', () => {
    const cache = new GraphCache(HOUR);
    cache.saw('shop', 'old', cache.moment());
    cache.invalidate('shop');
    expect(cache.fresh('shop')).toBeUndefined();
  });

  test('is not remembered where a session changed the schema while another waited for the answer', () => {
    const cache = new GraphCache(HOUR);
    const asked = cache.moment();
    cache.invalidate('shop');
    cache.saw('shop', 'old', asked);
    expect(cache.fresh('shop')).toBeUndefined();
  });
});
