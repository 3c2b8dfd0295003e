/** Passwords as SCRAM hashes them. */
import saslprep from '@mongodb-js/saslprep';

/**
 * Prepares a password by SASLprep (RFC 4013), as PostgreSQL does (pg_saslprep in saslprep.c): one that SASLprep prohibits, or
 * of which it leaves nothing, is hashed as it is, and so is ASCII.
 */
export function preparePassword(password: string): string {
  const isAscii = Buffer.byteLength(password) === password.length;
  if (isAscii) return password;
  try {
    return saslprep(password) || password;
  } catch {
    return password;
  }
}
