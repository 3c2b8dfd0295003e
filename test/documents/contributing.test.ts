/** CONTRIBUTING says where things are: each file and folder that it sends a reader to is there, by its whole path. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { section } from './documents.js';

const top = new URL('../../', import.meta.url);

test.each(['where', 'walk'])('the table "%s" of CONTRIBUTING names files that are there', (name) => {
  const named = [...section('CONTRIBUTING.md', name).matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) =>
    /^(?:src|test|bench|config|docs)\/[\w./-]+$/.test(code) ? [code] : [],
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(fileURLToPath(new URL(path, top))))).toEqual([]);
});

test('the questions of CONTRIBUTING are ten', () => {
  const rows = section('CONTRIBUTING.md', 'where').split('\n').slice(2);
  expect(rows.map((row) => row.split('|')[1]?.trim())).toHaveLength(10);
});
