/** What docs/differences.md shows of PostgreSQL is what PostgreSQL does. */
import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';
import { fenced } from './documents.js';

const database = useDatabase();
const proxy = useProxy();
const statements = fenced('docs/differences.md', 'which-key').trim().split(/;\n?/).filter(Boolean);
const remove = statements.at(-1) ?? '';

/** The constraint that the last of the document's statements breaks when it comes after these. */
async function broken(before: readonly string[], through: 'server' | 'proxy'): Promise<unknown> {
  const client = await (through === 'proxy' ? proxy : database).connect(database.name);
  try {
    await client.query(['DROP TABLE IF EXISTS posts, users', ...before].join(';'));
    return await client.query(remove).then(
      () => undefined,
      ({ constraint }: { constraint?: string }) => constraint,
    );
  } finally {
    await client.end();
  }
}

test('which of two SET DEFAULT keys is broken natively depends on the plan of the second one', async () => {
  const before = statements.slice(0, -1);
  const notEnforced = before.map((each) => each.replaceAll('SET DEFAULT', 'SET DEFAULT NOT ENFORCED'));
  const analyzed = ['ANALYZE posts'];
  expect(await broken(before, 'server')).toBe('posts_author_fkey');
  expect(await broken([...before, ...analyzed], 'server')).toBe('posts_editor_fkey');
  expect(await broken(notEnforced, 'proxy')).toBe('posts_author_fkey');
  expect(await broken([...notEnforced, ...analyzed], 'proxy')).toBe('posts_author_fkey');
});
