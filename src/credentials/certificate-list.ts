/** Certificates in a file, one behind the other, in PEM. */
import { X509Certificate } from 'node:crypto';

const BEGINNING = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

/**
 * Looks at each of them. OpenSSL, as Node.js calls it, takes authorities up to the first that it cannot read, and says nothing of the
 * others: whoever they have signed would be refused. libpq and PostgreSQL refuse such a file.
 * @returns what is the matter, as the end of a sentence that begins with the file; undefined where nothing is
 */
export function certificatesProblem(pem: Buffer): string | undefined {
  const [, ...bodies] = pem.toString('latin1').split(BEGINNING);
  if (bodies.length === 0) return 'has no certificate in it (PEM)';
  const broken = bodies.findIndex((body) => !isCertificate(body));
  if (broken < 0) return undefined;
  const which = bodies.length === 1 ? 'the certificate' : `certificate ${broken + 1} of ${bodies.length}`;
  return `is broken: ${which} in it cannot be read (PEM)`;
}

/** @param body what stands behind its first line */
function isCertificate(body: string): boolean {
  try {
    return new X509Certificate(`-----BEGIN CERTIFICATE-----${body}`).raw.length > 0;
  } catch {
    return false;
  }
}
