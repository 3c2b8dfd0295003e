/** Files of TLS towards the server that begin as they should, and are broken: which, and what is the matter, is said before anything is sent. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ServerTls } from '../../src/config/values/server-tls.js';
import { readCredentials } from '../../src/upstream/server-credentials.js';
import { workspace } from '../config/workspace.js';
import { createAuthority } from '../support/certificates.js';

const authority = await createAuthority('tests');
const [me, other] = [await authority.client('postgres'), await authority.client('postgres')];
const list = await authority.revoke(other);
const cut = (pem: string) => pem.slice(0, pem.length / 2);
const FILES = {
  'root.crt': authority.cert,
  'roots.crt': `${authority.cert}\n${cut(me.cert)}\n${authority.cert}`,
  'me.crt': me.cert,
  'me.key': me.key,
  'chain.crt': `${me.cert}\n${cut(authority.cert)}`,
  'cut.crt': cut(me.cert),
  'cut.key': cut(me.key),
  'other.key': other.key,
  'some.crl': list,
  'some-cut.crl': `${list}\n${cut(list)}`,
};

function reading(files: readonly [cert: string, key: string, root: string], crl?: string) {
  const folder = workspace();
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const [sslcert = '', sslkey = '', sslrootcert = ''] = files.map((name) => join(folder, name));
  const sslcrl = crl && join(folder, crl);
  const tls = { sslmode: 'require', sslcert, sslkey, sslrootcert, sslcrl } as ServerTls;
  return readCredentials(tls).catch((error: Error) => error.message.replaceAll(`${folder}/`, ''));
}

test('those that are whole are read, each time anew', async () => {
  for (const _ of ['first', 'second'])
    expect(await reading(['me.crt', 'me.key', 'root.crt'])).toMatchObject({ cert: Buffer.from(me.cert) });
});

test.each([
  [
    ['me.crt', 'me.key', 'roots.crt'],
    'root certificate file "roots.crt" is broken: certificate 2 of 3 in it',
  ],
  [
    ['cut.crt', 'me.key', 'root.crt'],
    'certificate file "cut.crt" is broken: the certificate in it cannot be',
  ],
  [['chain.crt', 'me.key', 'root.crt'], 'certificate file "chain.crt" is broken: certificate 2 of 2 in it'],
  [['me.crt', 'cut.key', 'root.crt'], 'private key file "cut.key" is broken: its key cannot be read (PEM)'],
  [['me.crt', 'me.crt', 'root.crt'], 'private key file "me.crt" has no private key in it (PEM)'],
  [
    ['me.crt', 'other.key', 'root.crt'],
    'private key file "other.key" is not that of certificate file "me.crt"',
  ],
] as const)('%j', async (files, message) => {
  expect(await reading(files)).toEqual(expect.stringContaining(message));
});

test.each([
  ['some.crl', { crl: [expect.stringContaining('-----BEGIN X509 CRL-----')] }],
  [
    'some-cut.crl',
    'revocation list file "some-cut.crl" is broken: revocation list 2 of 2 in it cannot be read (PEM)',
  ],
  ['me.crt', 'revocation list file "me.crt" has no revocation list in it (PEM)'],
  ['gone.crl', 'could not read revocation list file "gone.crl": ENOENT'],
] as const)('sslcrl=%s', async (name, expected) => {
  const read = await reading(['me.crt', 'me.key', 'root.crt'], name);
  if (typeof expected === 'string') expect(read).toBe(expected);
  else expect(read).toMatchObject(expected);
});
