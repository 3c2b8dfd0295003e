/** Says a twin's promises in SQL alone: texts, and the schemas they need. */
import { expect } from 'vitest';
import { query } from '../support/frontend-messages.js';
import { type RawClient, type RawMessage, readable } from '../support/raw-client.js';
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
    queries: (...texts) => twin.expectAsNative(async (client) => withoutContext(await askAll(client, texts))),
    inSchema: (schema, ...texts) =>
      twin.expectAsNative(async (client) => {
        await makeSchema(client, schema);
        return withoutContext(await askAll(client, texts));
      }),
  };
}

/** An error's context names the queries by which PostgreSQL cascades: the proxy has others. */
function withoutContext(answers: readonly RawMessage[]): RawMessage[] {
  return answers.map(({ type, body }) => {
    const fields = body.toString('latin1').split('\0');
    const kept = fields.filter((field) => !field.startsWith('W')).join('\0');
    return { type, body: type === 'E' ? Buffer.from(kept, 'latin1') : body };
  });
}

/** All answers to the texts, sent one after the other. */
export async function askAll(client: RawClient, texts: readonly string[]): Promise<RawMessage[]> {
  const answers: RawMessage[] = [];
  for (const text of texts) answers.push(...(await client.ask(query(text))));
  return answers;
}
