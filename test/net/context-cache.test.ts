/** Which connections to the server share what OpenSSL makes of their files. */
import { describe, expect, test } from 'vitest';
import { type ContextOptions, sharedContext } from '../../src/upstream/context-cache.js';
import { createAuthority } from '../support/certificates.js';

const authority = await createAuthority('tests');
const stranger = await createAuthority('a stranger');
const [me, strangers] = [await authority.client('postgres'), await stranger.revoke()];
const whole = {
  ca: [authority.cert],
  cert: Buffer.from(me.cert),
  key: Buffer.from(me.key),
  crl: [await authority.revoke()],
  minVersion: 'TLSv1.2',
} satisfies ContextOptions;

describe('a context', () => {
  test('is shared by those whose files are the same, byte for byte', () => {
    const again = { ...whole, cert: Buffer.from(whole.cert), key: Buffer.from(whole.key) };
    expect(sharedContext(again)).toBe(sharedContext(whole));
  });

  test.each<[string, ContextOptions]>([
    ['another authority', { ...whole, ca: [stranger.cert] }],
    ['a second authority', { ...whole, ca: [authority.cert, stranger.cert] }],
    ['no certificate', { ca: whole.ca, crl: whole.crl, minVersion: 'TLSv1.2' }],
    ['no revocation list', { ca: whole.ca, cert: whole.cert, key: whole.key, minVersion: 'TLSv1.2' }],
    ['a second revocation list', { ...whole, crl: [...whole.crl, strangers] }],
    ['another least version', { ...whole, minVersion: 'TLSv1.3' }],
    ['a highest version', { ...whole, maxVersion: 'TLSv1.2' }],
    ['a file that ends otherwise', { ...whole, ca: [`${authority.cert}\n`] }],
  ])('is not shared with %s', (_, other) => {
    expect(sharedContext(other)).not.toBe(sharedContext(whole));
    expect(sharedContext(other)).toBe(sharedContext({ ...other }));
  });

  test('is none for a key that does not belong to the certificate, also the second time', async () => {
    const other = { ...whole, key: Buffer.from((await authority.client('postgres')).key) };
    for (const time of ['first', 'second']) expect(() => sharedContext(other), time).toThrow(/mismatch/i);
  });
});
