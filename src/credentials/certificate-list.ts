/** Certificates in a file, one after the other, in PEM. */
import { X509Certificate } from 'node:crypto';
import { type PemKind, readPemList } from './pem-list.js';

const CERTIFICATES: PemKind = {
  name: 'certificate',
  // The last two are OpenSSL's own: the old name, and a certificate with what it is trusted for.
  beginning: /-----BEGIN (?:CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE)-----/g,
  isSound: isCertificate,
};

/**
 * Looks at each of them. OpenSSL, as Node.js calls it, takes authorities up to the first that it cannot read, and says nothing of the
 * others: whoever they have signed would be refused. libpq and PostgreSQL refuse such a file.
 * @returns what is the matter, as the end of a sentence that begins with the file; undefined where nothing is
 */
export function certificatesProblem(pem: Buffer): string | undefined {
  const list = readPemList(pem, CERTIFICATES);
  return list.kind === 'broken' ? list.problem : undefined;
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
