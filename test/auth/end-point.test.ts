/** The hash of a certificate that a login is bound to: it is that of the certificate's own signature, and SHA-256 at the least. */
import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { endPointHash } from '../../src/auth/scram/end-point.js';

/** In DER, signed by itself. */
async function certificate(key: object, signature: object): Promise<Buffer> {
  const keys = (await webcrypto.subtle.generateKey(
    { ...key, ...signature } as webcrypto.EcKeyGenParams,
    true,
    ['sign', 'verify'],
  )) as webcrypto.CryptoKeyPair;
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=db',
    keys,
    signingAlgorithm: { ...key, ...signature } as x509.X509CertificateCreateParamsBase['signingAlgorithm'],
  });
  return Buffer.from(made.rawData);
}

const RSA = { modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
const PKCS1 = { ...RSA, name: 'RSASSA-PKCS1-v1_5' };
const PSS = { ...RSA, name: 'RSA-PSS', saltLength: 32 };
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' };

test.each([
  [ECDSA, 'SHA-256', 'sha256'],
  [ECDSA, 'SHA-384', 'sha384'],
  [ECDSA, 'SHA-512', 'sha512'],
  [ECDSA, 'SHA-1', 'sha256'],
  [PKCS1, 'SHA-1', 'sha256'],
  [PKCS1, 'SHA-256', 'sha256'],
  [PKCS1, 'SHA-512', 'sha512'],
  [PSS, 'SHA-256', 'sha256'],
  [PSS, 'SHA-384', 'sha384'],
])('of a certificate by %o with %s it is the %s', async (key, hash, expected) => {
  const bytes = await certificate(key, { hash });
  expect(endPointHash(bytes)).toEqual(createHash(expected).update(bytes).digest());
});

test('nothing can be bound to a certificate whose signature has no hash, nor to bytes that are none', async () => {
  expect(endPointHash(await certificate({ name: 'Ed25519' }, {}))).toBeUndefined();
  const whole = await certificate(ECDSA, { hash: 'SHA-256' });
  for (const size of [0, 1, 2, 5, 100, whole.length - 1])
    expect(endPointHash(whole.subarray(0, size))).toBeUndefined();
  expect(endPointHash(Buffer.alloc(300, 0xff))).toBeUndefined();
});
