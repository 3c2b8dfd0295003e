/** Files of TLS towards the server: each connection sees what is in them now, and reads only what has changed. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ServerTls } from '../../src/config/values/server-tls.js';
import { contentOf, statsOf } from '../../src/upstream/known-files.js';
import { readCredentials } from '../../src/upstream/server-credentials.js';
import { workspace } from '../config/workspace.js';
import { createAuthority } from '../support/certificates.js';
import { until } from '../support/until.js';

const { cert } = await createAuthority('tests');
const isKept = (first: unknown, second: unknown) => first === second;

test('a file that stays as it is is read once, for all connections', async () => {
  const tls: ServerTls = { sslmode: 'verify-full', sslrootcert: join(workspace({ ca: cert }), 'ca') };
  const rootOf = async () => (await readCredentials(tls)).ca?.[0];
  // One that has just been written may be written again within the same moment, which its time would not show.
  await until('the file is known', async () => isKept(await rootOf(), await rootOf()));
  const known = await rootOf();
  expect(await Promise.all(Array.from({ length: 9 }, rootOf))).toEqual(Array(9).fill(known));
  for (const each of await Promise.all([rootOf(), rootOf()])) expect(each).toBe(known);
});

test('one that is written again and again, of the same length and in the same moment, is seen as it is', async () => {
  const path = join(workspace({ file: '' }), 'file');
  for (let i = 100; i < 200; i++) {
    writeFileSync(path, String(i));
    expect(String(await contentOf(path))).toBe(String(i));
  }
});

test('one that another was put in the place of is seen at once', async () => {
  const folder = workspace({ file: 'old', other: 'new' });
  const path = join(folder, 'file');
  await until('the file is known', async () => isKept(await contentOf(path), await contentOf(path)));
  renameSync(join(folder, 'other'), path);
  expect(String(await contentOf(path))).toBe('new');
});

test('one that is gone is gone, also when it was known', async () => {
  const folder = workspace({ file: 'old' });
  const path = join(folder, 'file');
  await until('the file is known', async () => isKept(await contentOf(path), await contentOf(path)));
  renameSync(path, join(folder, 'elsewhere'));
  await expect(contentOf(path)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await statsOf(path)).toBeUndefined();
});
