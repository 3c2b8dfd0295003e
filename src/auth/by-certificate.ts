/** `auth.mode: cert`: the client's certificate says who it is (auth-cert.html, check_usermap in hba.c). */
import { ProxyError } from '../errors.js';
import type { Verify } from './proxied.js';
import { type CertificateMapping, mayBe } from './users/certificate-map.js';
import type { Users } from './users/users.js';

/** What there is to know. */
export interface CertificateUsers {
  /** The passwords with which the database is logged in to. */
  readonly users: Users;
  /** Undefined: the common name is the user. */
  readonly mappings: readonly CertificateMapping[] | undefined;
}

export function byCertificate({ users, mappings }: CertificateUsers): Verify {
  return async ({ transport }, name) => {
    const client = transport.kind === 'tls' ? transport.client : undefined;
    if (!client) throw new ProxyError('PGC_CERTIFICATE_MISSING');
    const { commonName } = client;
    const isUser =
      commonName !== undefined && (mappings ? mayBe(mappings, commonName, name) : commonName === name);
    if (!isUser) throw new ProxyError('PGC_CERTIFICATE_USER', { user: name });
    const secret = users.find(name).known;
    // A SCRAM secret would need the client's proof.
    const credential = secret?.kind === 'password' ? secret : ({ kind: 'none' } as const);
    return { credential, told: undefined, fromClient: Buffer.alloc(0) };
  };
}
