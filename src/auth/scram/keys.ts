/** The keys of SCRAM-SHA-256, and how they follow from each other (RFC 5802, section 3; RFC 7677). */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** Bytes of a key, of a signature and of a proof. */
export const KEY_BYTES = 32;

/** What one side has to know to show that it knows the password, and to check that the other does. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * The keys of a password. It takes time in a thread, by design of SCRAM.
 * @param password as `preparePassword` gives it
 */
export async function deriveKeys(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const salted = await derive(password, salt, iterations, KEY_BYTES, 'sha256');
  const keys = { clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') };
  salted.fill(0);
  return keys;
}

export function storedKeyOf(clientKey: Buffer): Buffer {
  return createHash('sha256').update(clientKey).digest();
}

/** @param text with one character for each byte */
export function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

/** A proof from a key and a signature, and each of these from the other two. Both have {@link KEY_BYTES}. */
export function xor(a: Buffer, b: Buffer): Buffer {
  return a.map((byte, i) => byte ^ (b[i] ?? 0)) as Buffer;
}

/** Whether two secrets are one, in a time that tells nothing but whether they are equally long. */
export function areEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** @returns undefined where the text is not base64 as RFC 4648 has it, which Node.js would read all the same */
export function fromBase64(text: string): Buffer | undefined {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
    ? Buffer.from(text, 'base64')
    : undefined;
}
