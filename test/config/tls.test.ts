/** TLS towards clients: what is no certificate, or has no effect, is refused before the start, by key. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.js';
import { workspace } from './workspace.js';

let authority: Authority;
let server: Certificate;
let other: Certificate;
let list: string;
beforeAll(async () => {
  authority = await createAuthority('tests');
  [server, other] = [await authority.server([]), await authority.server([])];
  list = await authority.revoke(other);
});

/** A folder with the files that the keys name, relative to it. */
function folder(): string {
  const cwd = workspace({ 's.crt': server.cert, 'ca.crt': authority.cert, none: 'nothing' });
  const half = list.slice(0, list.length / 2);
  const lists = { 'one.crl': list, 'cut.crl': half, 'two.crl': `${list}\n${half}` };
  for (const [name, text] of Object.entries(lists)) writeFileSync(join(cwd, name), text);
  const keys = { 's.key': server.key, 'other.key': other.key, 'open.key': server.key, 'no.key': 'nothing' };
  for (const [name, text] of Object.entries(keys)) writeFileSync(join(cwd, name), text, { mode: 0o600 });
  chmodSync(join(cwd, 'open.key'), 0o644);
  return cwd;
}

/** The problems, without the folder. */
function problems(tls: string, env: Record<string, string> = {}, cwd = folder()): readonly string[] {
  writeFileSync(join(cwd, 'pgcascade.yaml'), `tls: { ${tls} }`);
  try {
    loadConfig({ flags: {}, env, cwd });
    return [];
  } catch (error) {
    return String(Object(error).message).replaceAll(`${cwd}/`, '').split('\n');
  }
}

const FILES = 'cert: s.crt, key: s.key';
const CLIENTS = `${FILES}, client_ca: ca.crt, client_auth: want`;

test.each([
  'mode: disable',
  `mode: disable, ${FILES}`,
  `mode: allow, ${FILES}`,
  `mode: require, ${FILES}`,
  `mode: allow, ${FILES}, client_ca: ca.crt, client_auth: want`,
  `mode: require, ${FILES}, client_ca: ca.crt, client_auth: want`,
  `mode: require, ${FILES}, client_ca: ca.crt, client_auth: require`,
  `mode: require, ${CLIENTS}, client_crl: one.crl`,
])('%s is taken', (tls) => {
  expect(problems(tls)).toEqual([]);
});

/** As `openssl x509 -trustout` writes it: after the certificate stands what it is trusted for, which is an empty list here. */
function trusted(pem: string): string {
  const list = Buffer.from([0x30, 0]);
  const body = Buffer.concat([new X509Certificate(pem).raw, list]).toString('base64');
  const lines = body.replace(/.{64}/g, '$&\n');
  return `-----BEGIN TRUSTED CERTIFICATE-----\n${lines}\n-----END TRUSTED CERTIFICATE-----\n`;
}

test.each<[string, (pem: string) => string]>([
  ['with words before and after them', (pem) => `The first:\n${pem}and so on\n`],
  ['with the line ends of Windows', (pem) => pem.replaceAll('\n', '\r\n')],
  ['in the form of OpenSSL that says what they are trusted for', trusted],
  ['with the name that they once had', (pem) => pem.replaceAll(' CERTIFICATE-', ' X509 CERTIFICATE-')],
  ['beside a key', (pem) => `${server.key}\n${pem}`],
])('certificates are taken %s', (_, written) => {
  const cwd = folder();
  const both = written(`${authority.cert}\n`) + written(`${server.cert}\n`);
  writeFileSync(join(cwd, 'cas.crt'), both);
  expect(problems(`mode: require, ${FILES}, client_ca: cas.crt, client_auth: want`, {}, cwd)).toEqual([]);
});

describe('what has no effect, or lacks something, is refused', () => {
  test.each([
    ['mode: require', ['cert: is missing: tls.mode is require', 'key: is missing: tls.mode is require']],
    ['mode: allow, cert: s.crt', ['key: is missing: tls.mode is allow']],
    ['mode: yes', ['mode: "yes" is not one of disable, allow, require']],
    [`mode: allow, cert: '', key: s.key`, ['cert: is empty: name a file, or say null']],
    [`mode: allow, cert: 5, key: s.key`, ['cert: 5 is not the path of a file']],
    [`mode: allow, cert: s.crt, key: [secret]`, ['key: what stands there is not the path of a file']],
    [`mode: require, ${FILES}, client_auth: require`, ['client_ca: is missing: tls.client_auth is require']],
    [
      `mode: require, ${FILES}, client_ca: ca.crt`,
      ['client_ca: has no effect while tls.client_auth is none: say want or require'],
    ],
    [
      `mode: allow, ${FILES}, client_ca: ca.crt, client_auth: require`,
      ['client_auth: needs tls.mode require: a client in clear has no certificate'],
    ],
    [
      `mode: require, ${FILES}, client_crl: one.crl`,
      ['client_crl: has no effect while tls.client_auth is none: say want or require'],
    ],
    ['client_ca: ca.crt, client_auth: want', ['client_auth: has no effect while tls.mode is disable']],
  ])('%s', (tls, expected) => {
    expect(problems(tls)).toEqual(expected.map((each) => `pgcascade.yaml:1: tls.${each}`));
  });
});

test.each([
  [
    'a private key',
    'PGCASCADE_TLS_KEY',
    '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n',
  ],
  ['one that has lost its lines', 'PGCASCADE_TLS_KEY', '-----BEGIN PRIVATE KEY----- c2VjcmV0'],
  ['a user with a password', 'PGCASCADE_AUTH_USERS', '"ann" "secret"'],
  ['a configuration', 'PGCASCADE_CONFIG', 'graph:\n  url: postgres://me:secret@db/shop\n'],
])('%s in place of a path is refused, and not repeated', (_, variable, content) => {
  const env = {
    PGCASCADE_AUTH_MODE: 'proxy',
    PGCASCADE_TLS_CLIENT_AUTH: 'require',
    PGCASCADE_TLS_MODE: 'require',
    [variable]: content,
  };
  const load = () => loadConfig({ flags: {}, env, cwd: folder() });
  expect(load).toThrow(
    new RegExp(`^${variable}: is what a file should have, and not its path: name the file$`, 'm'),
  );
  expect(load).not.toThrow(/c2VjcmV0|secret/);
});

describe('files that cannot be used are named', () => {
  test.each([
    ['cert: s.crt, key: other.key', ['key: other.key is not the private key of the certificate in s.crt']],
    ['cert: gone.crt, key: s.key', ['cert: gone.crt cannot be read: no such file or directory']],
    ['cert: s.crt, key: gone.key', ['key: gone.key cannot be read: no such file or directory']],
    [
      'cert: none, key: no.key',
      ['cert: none has no certificate in it (PEM)', 'key: no.key has no private key in it (PEM)'],
    ],
    [
      'cert: s.crt, key: open.key',
      [
        'key: open.key has group or world access: it needs rights u=rw (0600) or less, or u=rw,g=r (0640) or less where root owns it',
      ],
    ],
    [`${FILES}, client_ca: none, client_auth: want`, ['client_ca: none has no certificate in it (PEM)']],
    [`${FILES}, client_ca: s.key, client_auth: want`, ['client_ca: s.key has no certificate in it (PEM)']],
    [`${CLIENTS}, client_crl: none`, ['client_crl: none has no revocation list in it (PEM)']],
    [`${CLIENTS}, client_crl: ca.crt`, ['client_crl: ca.crt has no revocation list in it (PEM)']],
    [`${CLIENTS}, client_crl: gone`, ['client_crl: gone cannot be read: no such file or directory']],
    [
      `${CLIENTS}, client_crl: cut.crl`,
      ['client_crl: cut.crl is broken: the revocation list in it cannot be read (PEM)'],
    ],
    [
      `${CLIENTS}, client_crl: two.crl`,
      ['client_crl: two.crl is broken: revocation list 2 of 2 in it cannot be read (PEM)'],
    ],
  ])('%s', (tls, expected) => {
    expect(problems(`mode: require, ${tls}`)).toEqual(
      expected.map((each) => `pgcascade.yaml:1: tls.${each}`),
    );
  });

  test.each([
    ['has lost its end', (pem: string) => pem.slice(0, pem.length / 2)],
    ['has lost some characters', (pem: string) => pem.replace(/\n.{40}/, '\n')],
    ['has lost its last line', (pem: string) => pem.replace(/-----END.*/, '')],
  ])('what begins as a certificate or a key, and %s, also after one that is whole', (_, broken) => {
    const cwd = folder();
    const files = {
      'cut.crt': broken(server.cert),
      'cut.key': broken(server.key),
      'chain.crt': `${server.cert}\n${broken(authority.cert)}`,
      'cas.crt': `${authority.cert}\n${broken(server.cert)}\n${authority.cert}`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text, { mode: 0o600 });
    const at = 'pgcascade.yaml:1: tls.';
    expect(problems('mode: require, cert: cut.crt, key: cut.key', {}, cwd)).toEqual([
      `${at}cert: cut.crt is broken: the certificate in it cannot be read (PEM)`,
      `${at}key: cut.key is broken: the private key in it cannot be read (PEM)`,
    ]);
    const both = 'cert: chain.crt, key: s.key, client_ca: cas.crt, client_auth: want';
    expect(problems(`mode: require, ${both}`, {}, cwd)).toEqual([
      `${at}cert: chain.crt is broken: certificate 2 of 2 in it cannot be read (PEM)`,
      `${at}client_ca: cas.crt is broken: certificate 2 of 3 in it cannot be read (PEM)`,
    ]);
  });

  test('a key with a passphrase, which nobody would type', () => {
    const cwd = folder();
    const locked = createPrivateKey(server.key).export({
      ...{ type: 'pkcs8', format: 'pem' },
      ...{ cipher: 'aes-128-cbc', passphrase: 'secret' },
    });
    writeFileSync(join(cwd, 'locked.key'), locked, { mode: 0o600 });
    expect(problems('mode: require, cert: s.crt, key: locked.key', {}, cwd)).toEqual([
      'pgcascade.yaml:1: tls.key: locked.key is encrypted: give a key without a passphrase',
    ]);
  });

  test('by the variable that says them', () => {
    expect(problems(`mode: require, ${FILES}`, { PGCASCADE_TLS_KEY: 'other.key' })).toEqual([
      'PGCASCADE_TLS_KEY: other.key is not the private key of the certificate in s.crt',
    ]);
  });
});
