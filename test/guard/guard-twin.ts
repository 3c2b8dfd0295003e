/** A schema of keys that are checked natively, and by cascade.guard: what either side answers has to be the same. */
import { inject } from 'vitest';
import type { ProxyOptions } from '../support/proxy.js';
import { askAll, RawClient, type RawMessage } from '../support/raw-client.js';
import { type TwinDatabases, useTwinDatabases, withoutContext } from '../support/twin-databases.js';

export interface GuardTwin extends TwinDatabases {
  /** The texts, each a Query of its own, are answered as natively. */
  queries(...texts: readonly string[]): Promise<readonly string[]>;
  /** So is whatever a client does. */
  asNative(steps: (client: RawClient) => Promise<readonly RawMessage[]>): Promise<readonly string[]>;
}

/** @param rows what is run on both sides before each test */
export function useGuardTwin(schema: string, rows: string, options: ProxyOptions): GuardTwin {
  const twins = useTwinDatabases(schema, rows, options);
  const asNative: GuardTwin['asNative'] = (steps) =>
    twins.expectAsNative(async (side) => {
      const address = side === twins.native ? inject('postgres') : twins.proxy;
      const client = await RawClient.login(address, { database: side.database.name });
      return side.readable((await steps(client)).map(withoutContext));
    });
  return {
    ...twins,
    asNative,
    queries: (...texts) => asNative((client) => askAll(client, texts)),
  };
}
