/** Private keys in files. */
import type { Stats } from 'node:fs';

/** What is the matter with the rights of a key's file, as PostgreSQL and libpq judge it: others must not read it. */
export function openRights({ mode, uid }: Pick<Stats, 'mode' | 'uid'>): string | undefined {
  if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0) return undefined;
  return 'has group or world access: it needs rights u=rw (0600) or less, or u=rw,g=r (0640) or less where root owns it';
}

/** @param pem that could not be read. Whether it begins as a key. */
export function isPrivateKey(pem: Buffer): boolean {
  return /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(pem.toString('latin1'));
}

/** @param pem a key that could not be read without a passphrase. Each form of an encrypted one says so in its head. */
export function isEncrypted(pem: Buffer): boolean {
  return pem.includes('ENCRYPTED');
}
