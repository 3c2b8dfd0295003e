/** Lists of revoked certificates in a file, one after the other, in PEM: mostly one of each authority. */
import { createSecureContext } from 'node:tls';
import { type PemKind, readPemList } from './pem-list.js';

const REVOCATION_LISTS: PemKind = {
  name: 'revocation list',
  beginning: /-----BEGIN X509 CRL-----/g,
  isSound: isRevocationList,
};

/**
 * Cuts them apart: of a text with several Node.js takes the first, and whoever another authority has signed would be refused, for
 * want of its list. PostgreSQL takes all (ssl_crl_file).
 * @returns each, as `crl` of node:tls takes them
 * @throws an Error that says what is the matter, as the end of a sentence that begins with the file
 */
export function readRevocationLists(pem: Buffer): string[] {
  const list = readPemList(pem, REVOCATION_LISTS);
  if (list.kind === 'broken') throw new Error(list.problem);
  return [...list.parts];
}

/** Nothing else in Node.js reads one. Without authorities: else each context would get those that Node.js brings. */
function isRevocationList(pem: string): boolean {
  try {
    createSecureContext({ ca: [], crl: pem });
    return true;
  } catch {
    return false;
  }
}
