/** What TLS towards the server needs of files, where libpq looks for them (fe-secure-openssl.c, initialize_SSL). */
import { createPrivateKey } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { ServerTls } from '../config/server-tls.js';
import { isEncrypted, openRights } from '../credentials/private-key.js';

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
  readonly crl?: Buffer;
}

/**
 * Reads the files of a connection. They are read anew for each, as libpq does: so a certificate can be replaced.
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
  if (await isThere(path)) return [await readCertificates(path)];
  if (!sslmode.startsWith('verify-')) return undefined;
  throw new Error(
    `root certificate file "${path}" does not exist: name it by sslrootcert, take sslrootcert=system, or an sslmode that does not verify the server's certificate`,
  );
}

/** Where the system has none, those that Node.js brings. */
async function readSystemRoots(): Promise<(string | Buffer)[]> {
  for (const path of [process.env.SSL_CERT_FILE, ...SYSTEM_ROOTS])
    if (path && (await isThere(path))) return [await read(path, 'root certificate file')];
  return [...rootCertificates];
}

async function readOwn({
  sslcert,
  sslkey,
  sslpassword,
}: ServerTls): Promise<Pick<Credentials, 'cert' | 'key'>> {
  const path = sslcert ?? inHome('postgresql.crt');
  if (sslcert === undefined && !(await isThere(path))) return {};
  const keyPath = sslkey ?? inHome('postgresql.key');
  const cert = await read(path, 'certificate file');
  if (!(await isThere(keyPath)))
    throw new Error(`certificate file "${path}" is there, but not private key file "${keyPath}"`);
  await checkRights(keyPath);
  return { cert, key: decrypted(await read(keyPath, 'private key file'), keyPath, sslpassword) };
}

/** Nobody is there who could be asked for the password. */
function decrypted(pem: Buffer, path: string, passphrase: string | undefined): Buffer {
  if (!isEncrypted(pem)) return pem;
  if (passphrase === undefined) throw new Error(`private key file "${path}" is encrypted: give sslpassword`);
  try {
    const key = createPrivateKey({ key: pem, passphrase });
    return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
  } catch {
    throw new Error(`private key file "${path}" could not be decrypted with sslpassword`);
  }
}

async function readRevoked({ sslcrl }: ServerTls): Promise<Buffer | undefined> {
  const path = sslcrl ?? inHome('root.crl');
  return sslcrl !== undefined || (await isThere(path)) ? read(path, 'revocation list') : undefined;
}

async function checkRights(path: string): Promise<void> {
  const rights = openRights(await stat(path));
  if (rights !== undefined) throw new Error(`private key file "${path}" ${rights}`);
}

async function readCertificates(path: string): Promise<Buffer> {
  const pem = await read(path, 'root certificate file');
  if (!pem.includes('-----BEGIN'))
    throw new Error(`root certificate file "${path}" has no certificate in it`);
  return pem;
}

async function read(path: string, what: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`could not read ${what} "${path}": ${code}`);
  }
}

function inHome(name: string): string {
  return join(homedir(), '.postgresql', name);
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
