/** The file that says which users a certificate stands for. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAuthFiles } from '../../src/auth/users/auth-files.js';
import { mayBe, parseCertificateMap } from '../../src/auth/users/certificate-map.js';
import { workspace } from '../config/workspace.js';

const MAP = `
# common name    user
jane             postgres
jane             reports   # both
"Jane ""J"" Doe" "a user"
/^(.*)@example\\.com$  \\1
/^batch-         batch
`;

test.each([
  ['jane', 'postgres', true],
  ['jane', 'reports', true],
  ['jane', 'jane', false],
  ['Jane', 'postgres', false],
  ['Jane "J" Doe', 'a user', true],
  ['ann@example.com', 'ann', true],
  ['ann@example.com', 'ann@example.com', false],
  ['ann@example.com.evil', 'ann', false],
  ['batch-7', 'batch', true],
  ['a batch-7', 'batch', false],
  ['nobody', 'nobody', false],
])('a certificate of %j as user %j: %s', (commonName, user, expected) => {
  const { mappings, problems } = parseCertificateMap(MAP);
  expect(problems).toEqual([]);
  expect(mayBe(mappings, commonName, user)).toBe(expected);
});

test('what a pattern has found is taken as it is', () => {
  const { mappings } = parseCertificateMap('/^x(.*)$ \\1');
  expect(mayBe(mappings, 'x$&', '$&')).toBe(true);
});

test.each([
  'jane',
  'jane a b',
  '"jane user',
  '"jane"user',
  '"" user',
  'jane ""',
  '/( user',
])('%j is a problem of its line', (line) => {
  const { mappings, problems } = parseCertificateMap(`# map\n${line}\n`);
  expect(mappings).toEqual([]);
  expect(problems).toEqual([{ line: 2, text: expect.stringMatching(/form|regular expression/) }]);
});

test('a map that cannot be used is refused, and one that others can write is warned of', async () => {
  const folder = workspace({ good: 'jane postgres', bad: 'jane' });
  const [good, bad] = [join(folder, 'good'), join(folder, 'bad')];
  await expect(readAuthFiles({ users: null, map: bad })).rejects.toThrow(`${bad}:1: is not of the form`);
  for (const [mode, warnings] of [
    [0o644, 0],
    [0o646, 1],
  ] as const) {
    chmodSync(good, mode);
    expect((await readAuthFiles({ users: null, map: good })).warnings).toHaveLength(warnings);
  }
});
