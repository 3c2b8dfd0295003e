/** What the proxy presents to clients that connect over TLS, and whose certificates it takes: from the files of `tls`. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { getSystemErrorMap } from 'node:util';
import { certificatesProblem } from './certificate-list.js';
import { isEncrypted, isPrivateKey, openRights } from './private-key.js';
import { readRevocationLists } from './revocation-lists.js';

/** Paths, under the names of the configuration. */
export interface TlsFiles {
  readonly cert: string | null;
  readonly key: string | null;
  /** Null where no client is asked for a certificate. */
  readonly client_ca: string | null;
  /** Lists of the certificates that these authorities have revoked. */
  readonly client_crl: string | null;
}

export interface TlsFileProblem {
  readonly key: keyof TlsFiles;
  /** Names the file, and has nothing of what is in it. */
  readonly text: string;
}

/** In PEM. */
interface Credentials extends Pick<SecureContextOptions, 'key' | 'ca' | 'crl'> {
  /** That of the server, and after it those that lead to its authority. */
  readonly cert?: Buffer;
}

export type Presented =
  | { readonly kind: 'read'; readonly credentials: Credentials }
  | { readonly kind: 'broken'; readonly problems: readonly TlsFileProblem[] };

/** Reads the files, and whether they belong together. */
export function readPresented(files: TlsFiles): Presented {
  const problems: TlsFileProblem[] = [];
  const tried = <T>(key: keyof TlsFiles, read: (path: string) => T): T | undefined => {
    const path = files[key];
    try {
      return path === null ? undefined : read(path);
    } catch (error) {
      problems.push({ key, text: `${path} ${(error as Error).message}` });
      return undefined;
    }
  };
  const cert = tried('cert', readCertificates);
  const key = tried('key', readKey);
  const ca = tried('client_ca', readCertificates);
  const crl = tried('client_crl', (path) => readRevocationLists(read(path)));
  if (cert && key)
    tried('key', () => {
      if (!cert.first.checkPrivateKey(key.object))
        throw new Error(`is not the private key of the certificate in ${files.cert}`);
    });
  const credentials = {
    ...(cert && { cert: cert.pem }),
    ...(key && { key: key.pem }),
    ...(ca && { ca: ca.pem }),
    ...(crl && { crl }),
  };
  if (problems.length === 0) tried('cert', () => tryOut(credentials));
  return problems.length > 0 ? { kind: 'broken', problems } : { kind: 'read', credentials };
}

/** A certificate may be well formed, and still too weak for OpenSSL. */
function tryOut(credentials: SecureContextOptions): void {
  try {
    createSecureContext(credentials);
  } catch (error) {
    throw new Error(`cannot be used: ${(error as Error).message}`);
  }
}

/** @throws an Error that says what is the matter with the file, as the end of a sentence that begins with its path */
function readCertificates(path: string): { readonly pem: Buffer; readonly first: X509Certificate } {
  const pem = read(path);
  const problem = certificatesProblem(pem);
  if (problem !== undefined) throw new Error(problem);
  return { pem, first: new X509Certificate(pem) };
}

/** @throws as {@link readCertificates} */
function readKey(path: string): { readonly pem: Buffer; readonly object: KeyObject } {
  const rights = openRights(statOf(path));
  if (rights !== undefined) throw new Error(rights);
  const pem = read(path);
  try {
    return { pem, object: createPrivateKey(pem) };
  } catch {
    if (isEncrypted(pem)) throw new Error('is encrypted: give a key without a passphrase');
    throw new Error(
      isPrivateKey(pem)
        ? 'is broken: the private key in it cannot be read (PEM)'
        : 'has no private key in it (PEM)',
    );
  }
}

function read(path: string): Buffer {
  return asSentence(() => readFileSync(path));
}

function statOf(path: string) {
  return asSentence(() => statSync(path));
}

function asSentence<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { errno, message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot be read: ${getSystemErrorMap().get(errno ?? 0)?.[1] ?? message}`);
  }
}
