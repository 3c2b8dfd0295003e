/** What a login is bound to: the hash of the server's certificate (RFC 5929, section 4.1). */
import { createHash } from 'node:crypto';

/** The algorithms by which certificates are signed, as DER writes them, and the hash of each. */
const HASHES: ReadonlyMap<string, string> = new Map([
  // MD5 and SHA-1 are replaced by SHA-256.
  ['2a864886f70d010104', 'sha256'], // md5WithRSAEncryption
  ['2a864886f70d010105', 'sha256'], // sha1WithRSAEncryption
  ['2a8648ce3d0401', 'sha256'], // ecdsa-with-SHA1
  ['2a864886f70d01010e', 'sha224'], // sha224WithRSAEncryption
  ['2a864886f70d01010b', 'sha256'], // sha256WithRSAEncryption
  ['2a864886f70d01010c', 'sha384'], // sha384WithRSAEncryption
  ['2a864886f70d01010d', 'sha512'], // sha512WithRSAEncryption
  ['2a8648ce3d040301', 'sha224'], // ecdsa-with-SHA224
  ['2a8648ce3d040302', 'sha256'], // ecdsa-with-SHA256
  ['2a8648ce3d040303', 'sha384'], // ecdsa-with-SHA384
  ['2a8648ce3d040304', 'sha512'], // ecdsa-with-SHA512
]);

/** RSASSA-PSS, whose hash is among its parameters; without one it is SHA-1. */
const PSS = '2a864886f70d01010a';
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ['608648016503040204', 'sha224'],
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
]);

/**
 * @param certificate in DER
 * @returns undefined where its signature has no hash (Ed25519), or is not known: then nothing can be bound to it
 */
export function endPointHash(certificate: Buffer): Buffer | undefined {
  const hash = signatureHash(certificate);
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest();
}

/** Certificate ::= SEQUENCE { tbsCertificate, SEQUENCE { algorithm, parameters }, signature } (RFC 5280, 4.1). */
function signatureHash(certificate: Buffer): string | undefined {
  const [, algorithm] = parts(contentOf(certificate));
  const [identifier, parameters] = parts(contentOf(algorithm));
  const name = contentOf(identifier).toString('hex');
  if (name !== PSS) return HASHES.get(name);
  const [first] = parts(contentOf(parameters));
  // The hash is tagged [0].
  if (first?.[0] !== 0xa0) return 'sha256';
  const [hash] = parts(contentOf(contentOf(first)));
  return PSS_HASHES.get(contentOf(hash).toString('hex'));
}

const NOTHING = Buffer.alloc(0);

/** The elements that lie side by side in `bytes`, with their headers; as far as they are whole. */
function parts(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const { header, length } = sizeAt(bytes, at);
    const end = at + header + length;
    if (end > bytes.length) break;
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

function contentOf(element: Buffer | undefined): Buffer {
  if (!element || element.length < 2) return NOTHING;
  const { header, length } = sizeAt(element, 0);
  const isWhole = header + length <= element.length;
  return isWhole ? element.subarray(header, header + length) : NOTHING;
}

/** Lengths of up to 127 bytes are one byte; else a first one says how many follow. */
function sizeAt(bytes: Buffer, at: number): { readonly header: number; readonly length: number } {
  const first = bytes[at + 1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  const count = first & 0x7f;
  if (count < 1 || count > 4 || at + 2 + count > bytes.length) return { header: 2, length: bytes.length };
  return { header: 2 + count, length: bytes.readUIntBE(at + 2, count) };
}
