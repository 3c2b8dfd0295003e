/** What OpenSSL makes of the files of TLS towards the server: once for all connections that have the same ones. */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Credentials } from './server-credentials.js';

export interface ContextOptions extends Credentials {
  readonly minVersion: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

/** Hosts of `graph.url` may have other files, and files are replaced now and then. */
const MOST_CONTEXTS = 8;

const contexts = new LRUCache<string, SecureContext>({ max: MOST_CONTEXTS });

/**
 * A context of its own would take 20 KB of each connection, and far more with the authorities of an operating system.
 * @throws an Error for certificates and keys that are none, or do not belong together
 */
export function sharedContext(options: ContextOptions): SecureContext {
  const name = nameOf(options);
  const known = contexts.get(name);
  if (known) return known;
  const { ca = [], crl = [], ...others } = options;
  const made = createSecureContext({
    ...others,
    ...(ca.length > 0 && { ca: [...ca] }),
    ...(crl.length > 0 && { crl: [...crl] }),
  });
  contexts.set(name, made);
  return made;
}

/** By what is in the files: they are read for each connection, so that they can be replaced. */
function nameOf({ ca = [], cert, key, crl = [], minVersion, maxVersion }: ContextOptions): string {
  const hash = createHash('sha256').update(`${minVersion} ${maxVersion}`);
  // The length keeps the end of one from being the beginning of the next.
  for (const [name, part] of [
    ...ca.map((each) => ['ca', each] as const),
    ['cert', cert],
    ['key', key],
    ...crl.map((each) => ['crl', each] as const),
  ] as const)
    if (part !== undefined) hash.update(`;${name} ${part.length}:`).update(part);
  return hash.digest('base64');
}
