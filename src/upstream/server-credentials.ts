/** What TLS towards the server needs of files, where libpq looks for them (fe-secure-openssl.c, initialize_SSL). */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { ServerTls } from '../config/values/server-tls.js';
import { certificatesProblem } from '../credentials/certificate-list.js';
import { isEncrypted, isPrivateKey, openRights } from '../credentials/private-key.js';
import { readRevocationLists } from '../credentials/revocation-lists.js';
import { contentOf, statsOf } from './known-files.js';

/** Certificates that operating systems trust, as OpenSSL and distributions keep them. */
const SYSTEM_ROOTS = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** In PEM. */
export interface Credentials {
  readonly ca?: readonly (string | Buffer)[];
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Each list for itself. */
  readonly crl?: readonly string[];
}

/**
 * Reads the files of a connection. Each looks whether they have changed, as libpq reads them for each: so a certificate can be replaced.
 * @returns no `ca` where nothing is verified: no root certificate is named or in its place, and sslmode does not want one
 * @throws an Error that names the file, and what is the matter with it
 */
export async function readCredentials(tls: ServerTls): Promise<Credentials> {
  const [ca, own, crl] = await Promise.all([readRoots(tls), readOwn(tls), readRevoked(tls)]);
  return { ...(ca && { ca }), ...own, ...(ca && crl && { crl }) };
}

async function readRoots({ sslmode, sslrootcert }: ServerTls): Promise<(string | Buffer)[] | undefined> {
  if (sslrootcert === 'system') return readSystemRoots();
  const path = sslrootcert ?? inHome('root.crt');
  const stats = await statsOf(path);
  if (stats) return [await readCertificates(path, 'root certificate file', stats)];
  if (!sslmode.startsWith('verify-')) return undefined;
  throw new Error(
    `root certificate file "${path}" does not exist: name it by sslrootcert, take sslrootcert=system, or an sslmode that does not verify the server's certificate`,
  );
}

/** Where the system has none, those that Node.js brings. */
async function readSystemRoots(): Promise<(string | Buffer)[]> {
  for (const path of [process.env.SSL_CERT_FILE, ...SYSTEM_ROOTS])
    if (path) {
      const stats = await statsOf(path);
      if (stats) return [await read(path, 'root certificate file', stats)];
    }
  return [...rootCertificates];
}

async function readOwn({
  sslcert,
  sslkey,
  sslpassword,
}: ServerTls): Promise<Pick<Credentials, 'cert' | 'key'>> {
  const path = sslcert ?? inHome('postgresql.crt');
  const stats = await statsOf(path);
  if (sslcert === undefined && !stats) return {};
  const keyPath = sslkey ?? inHome('postgresql.key');
  const cert = await readCertificates(path, 'certificate file', stats);
  const keyStats = await statsOf(keyPath);
  if (!keyStats)
    throw new Error(`certificate file "${path}" is there, but not private key file "${keyPath}"`);
  const rights = openRights({ mode: Number(keyStats.mode), uid: Number(keyStats.uid) });
  if (rights !== undefined) throw new Error(`private key file "${keyPath}" ${rights}`);
  const key = decrypted(await read(keyPath, 'private key file', keyStats), keyPath, sslpassword);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`private key file "${keyPath}" is not that of certificate file "${path}"`);
  return { cert, key };
}

/** Nobody is there who could be asked for the password. */
function decrypted(pem: Buffer, path: string, passphrase: string | undefined): Buffer {
  if (!isEncrypted(pem)) return readable(pem, path);
  if (passphrase === undefined) throw new Error(`private key file "${path}" is encrypted: give sslpassword`);
  try {
    const key = createPrivateKey({ key: pem, passphrase });
    return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
  } catch {
    throw new Error(`private key file "${path}" could not be decrypted with sslpassword`);
  }
}

/** @throws where it is none, as what OpenSSL says of it names no file */
function readable(pem: Buffer, path: string): Buffer {
  try {
    createPrivateKey(pem);
    return pem;
  } catch {
    const problem = isPrivateKey(pem) ? 'is broken: its key cannot be read' : 'has no private key in it';
    throw new Error(`private key file "${path}" ${problem} (PEM)`);
  }
}

/** libpq goes on without lists that it cannot read. Then whoever was named in them would be believed. */
async function readRevoked({ sslcrl }: ServerTls): Promise<readonly string[] | undefined> {
  const path = sslcrl ?? inHome('root.crl');
  const stats = await statsOf(path);
  if (sslcrl === undefined && !stats) return undefined;
  const what = 'revocation list file';
  const pem = await read(path, what, stats);
  const known = revoked.get(path);
  if (known?.pem.equals(pem)) return known.lists;
  try {
    const lists = readRevocationLists(pem);
    revoked.set(path, { pem, lists });
    return lists;
  } catch (error) {
    throw new Error(`${what} "${path}" ${(error as Error).message}`);
  }
}

/** What was read of files of revocation lists. By path, as the configuration names it. */
const revoked = new Map<string, { readonly pem: Buffer; readonly lists: readonly string[] }>();

/** Files whose certificates were looked at: each connection reads them, and they may be those of a whole operating system. By path, as the configuration names it. */
const sound = new Map<string, Buffer>();

async function readCertificates(path: string, what: string, stats?: BigIntStats): Promise<Buffer> {
  const pem = await read(path, what, stats);
  if (sound.get(path)?.equals(pem)) return pem;
  const problem = certificatesProblem(pem);
  if (problem !== undefined) throw new Error(`${what} "${path}" ${problem}`);
  sound.set(path, pem);
  return pem;
}

async function read(path: string, what: string, stats?: BigIntStats): Promise<Buffer> {
  try {
    return await contentOf(path, stats);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`could not read ${what} "${path}": ${code}`);
  }
}

function inHome(name: string): string {
  return join(homedir(), '.postgresql', name);
}
