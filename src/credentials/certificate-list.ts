/** Certificates in a file, one behind the other, in PEM. */
import { X509Certificate } from 'node:crypto';

/** The last two are OpenSSL's own: the old name, and a certificate with what it is trusted for. */
const BEGINNING = /-----BEGIN (?:CERTIFICATE|X509 CERTIFICATE|TRUSTED CERTIFICATE)-----/g;

/**
 * Looks at each of them. OpenSSL, as Node.js calls it, takes authorities up to the first that it cannot read, and says nothing of the
 * others: whoever they have signed would be refused. libpq and PostgreSQL refuse such a file.
 * @returns what is the matter, as the end of a sentence that begins with the file; undefined where nothing is
 */
export function certificatesProblem(pem: Buffer): string | undefined {
  const text = pem.toString('latin1');
  const starts = Array.from(text.matchAll(BEGINNING), ({ index }) => index);
  if (starts.length === 0) return 'has no certificate in it (PEM)';
  const broken = starts.findIndex((start, i) => !isCertificate(text.slice(start, starts[i + 1])));
  if (broken < 0) return undefined;
  const which = starts.length === 1 ? 'the certificate' : `certificate ${broken + 1} of ${starts.length}`;
  return `is broken: ${which} in it cannot be read (PEM)`;
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
