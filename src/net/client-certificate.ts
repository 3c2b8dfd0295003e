/** The subject of a client's certificate, as PostgreSQL reads it (be-secure-openssl.c, be_tls_open_server). */
import type { X509Certificate } from 'node:crypto';
import type { VerifiedClient } from '../auth/client-transport.js';

/** Node.js writes the parts of a name one a line, those of one level with this between them; within a value "+" is escaped. */
const SAME_LEVEL = ' + ';

/** @param certificate one that was verified */
export function verifiedClient({ subject }: X509Certificate): VerifiedClient {
  const levels = subject === '' ? [] : subject.split('\n').map((level) => level.split(SAME_LEVEL));
  const name = levels.flat().find((part) => part.startsWith('CN='));
  const distinguishedName = levels
    .toReversed()
    .map((level) => level.toReversed().join('+'))
    .join(',')
    .replace(/[^\p{ASCII}]/gu, escaped);
  return Object.freeze({ commonName: name && plain(name.slice('CN='.length)), distinguishedName });
}

function escaped(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join('');
}

/** The value that an escaped one stands for. A zero byte would end a name early: `root\0.example` is not root. */
function plain(value: string): string | undefined {
  const text = value.replace(/\\(?:([0-9A-F]{2})|(.))/g, (_, code?: string, character?: string) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (character ?? ''),
  );
  return text.includes('\0') ? undefined : text;
}
