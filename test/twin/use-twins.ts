/** Both sides for the tests of a file: a database with enforced keys, and another one through a proxy. */
import { afterAll, beforeAll, inject } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type ProxyOptions, useProxy } from '../support/proxy.js';
import { Twins } from './twins.js';

/**
 * @param inBatches the proxy cascades in batches
 * @returns what gives them, once the tests run
 */
export function useTwins(options: ProxyOptions, inBatches = false): () => Twins {
  const native = useDatabase();
  const emulated = useDatabase();
  const proxy = useProxy(options);
  let twins: Twins | undefined;
  beforeAll(async () => {
    const server = inject('postgres');
    const other = { ...server, database: emulated.name };
    twins = await Twins.connect(
      { ...server, database: native.name },
      other,
      {
        ...other,
        host: proxy.host,
        port: proxy.port,
      },
      inBatches,
    );
  });
  afterAll(() => twins?.end());
  return () => {
    if (twins === undefined) throw new Error('no twins before the tests run');
    return twins;
  };
}
