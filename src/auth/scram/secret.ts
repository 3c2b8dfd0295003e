/** What PostgreSQL keeps of a password (parse_scram_secret in auth-scram.c). */
import { deriveKeys, fromBase64, KEY_BYTES, storedKeyOf } from './keys.js';

/** Verifies a client and a server that know the password, and does not tell it. */
export interface ScramSecret {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** How the secrets of this kind begin. */
export const SCRAM_PREFIX = 'SCRAM-SHA-256$';
/** As many as PostgreSQL's integers count. */
const MOST_ITERATIONS = 2 ** 31 - 1;

/**
 * Reads `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as in pg_authid.
 * @returns undefined where the text is no such secret
 */
export function parseScramSecret(text: string): ScramSecret | undefined {
  if (!text.startsWith(SCRAM_PREFIX)) return undefined;
  const [, count = '', ...encoded] =
    /^(\d{1,10}):([^:$]+)\$([^:$]+):([^:$]+)$/.exec(text.slice(SCRAM_PREFIX.length)) ?? [];
  const iterations = Number(count);
  const [salt, storedKey, serverKey] = encoded.map(fromBase64);
  if (iterations < 1 || iterations > MOST_ITERATIONS || !salt || !storedKey || !serverKey) return undefined;
  if (storedKey.length !== KEY_BYTES || serverKey.length !== KEY_BYTES) return undefined;
  return { iterations, salt, storedKey, serverKey };
}

/** @param password as `preparePassword` gives it */
export async function makeSecret(password: string, salt: Buffer, iterations: number): Promise<ScramSecret> {
  const { clientKey, serverKey } = await deriveKeys(password, salt, iterations);
  const storedKey = storedKeyOf(clientKey);
  clientKey.fill(0);
  return { iterations, salt, storedKey, serverKey };
}
