/** node-sql-parser is loaded where a file in another dialect than PostgreSQL's is read, and nowhere else. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { output } from '../script/runs.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test.each([
  ['postgresql', '0'],
  ['sqlite', '1'],
] as const)('a proxy with a file in %s loads %s of its grammars', async (dialect, count) => {
  const sql = 'CREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (a int REFERENCES a (id));';
  const path = join(workspace({ 'a.sql': sql }), 'a.sql');
  const program = ['--import', here('../support/typescript.js'), here('lazily.ts')];
  expect(await output(process.execPath, [...program, JSON.stringify({ path, dialect })], '')).toBe(count);
});
