/** Certificates for tests: authorities, and what they sign, as PEM. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR = 3_600_000;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Signs certificates. */
export interface Authority extends Certificate {
  /** @param names what a client may call the server: DNS names and IP addresses */
  server(names: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[]): Promise<Certificate>;
  /** For a client that is called so. */
  client(commonName: string): Promise<Certificate>;
  /** The list of those that are revoked. */
  revoke(...certificates: readonly Certificate[]): Promise<string>;
  /** A list of nobody, in whose place another should be by now. */
  expiredList(): Promise<string>;
}

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await makeKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ALGORITHM,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const sign = async (subject: string, extensions: x509.Extension[]) => {
    const own = await makeKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${subject}`,
      issuer: root.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(),
      extensions,
    });
    return { cert: certificate.toString('pem'), key: await privateKey(own) };
  };
  const listed = async (certificates: readonly Certificate[], until: number) => {
    const list = await x509.X509CrlGenerator.create({
      issuer: root.subject,
      ...{ thisUpdate: new Date(Date.now() - HOUR), nextUpdate: new Date(until) },
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      entries: certificates.map(({ cert }) => ({
        serialNumber: new x509.X509Certificate(cert).serialNumber,
        revocationDate: new Date(Date.now() - HOUR),
      })),
    });
    return x509.PemConverter.encode(list.rawData, 'X509 CRL');
  };
  return {
    cert: root.toString('pem'),
    key: await privateKey(keys),
    server: (names) => sign('server', [new x509.SubjectAlternativeNameExtension([...names])]),
    client: (commonName) => sign(commonName, []),
    revoke: (...certificates) => listed(certificates, Date.now() + HOUR),
    expiredList: () => listed([], Date.now() - HOUR / 2),
  };
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * HOUR) };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function privateKey({ privateKey: key }: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
