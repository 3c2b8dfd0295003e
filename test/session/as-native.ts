/** Says a twin's promises in SQL alone: texts, and the schemas they need. */
import { expect } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { askAll, type RawClient, readable } from '../support/raw-client.js';
import { withoutContext } from '../support/twin-databases.js';
import type { Twin } from './twin.js';

export interface AsNative {
  /** The texts are answered as natively. */
  queries(...texts: readonly string[]): Promise<void>;
  /** So they are in a schema of their own, made on both sides: KEYS stands where keys are enforced, or NOT ENFORCED. */
  inSchema(schema: string, ...texts: readonly string[]): Promise<void>;
  makeSchema(client: RawClient, schema: string): Promise<void>;
}

export function asNativeOn(twin: Twin): AsNative {
  const makeSchema = async (client: RawClient, schema: string) => {
    const keys = schema.replaceAll('KEYS', twin.isNative(client) ? '' : 'NOT ENFORCED');
    const start = 'DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s; SET search_path = s';
    const made = readable(await client.ask(query(`${start}; ${keys}`)));
    expect(made.filter((each) => each.startsWith('E'))).toEqual([]);
  };
  return {
    makeSchema,
    queries: (...texts) =>
      twin.expectAsNative(async (client) => (await askAll(client, texts)).map(withoutContext)),
    inSchema: (schema, ...texts) =>
      twin.expectAsNative(async (client) => {
        await makeSchema(client, schema);
        return (await askAll(client, texts)).map(withoutContext);
      }),
  };
}
