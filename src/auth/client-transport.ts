/** How a client is connected, and what a login may need to know of that. It stays the same as long as the connection. */
export type ClientTransport = ClearTransport | TlsTransport;

/** Not encrypted: over the network, or by a unix socket. */
export interface ClearTransport {
  readonly kind: 'clear';
}

export interface TlsTransport {
  readonly kind: 'tls';
  /** The certificate that the proxy has presented, in DER: channel binding by tls-server-end-point is bound to it (RFC 5929). */
  readonly ownCertificate: Buffer;
  /** Whom the client has proved to be; undefined where it has presented no certificate. One that is not valid comes to no login. */
  readonly client: VerifiedClient | undefined;
}

/** The subject of a certificate that `tls.client_ca` has signed. */
export interface VerifiedClient {
  /** The first CN, as pg_hba.conf's method cert takes it; undefined where there is none, or one with a zero byte in it. */
  readonly commonName: string | undefined;
  /** By RFC 2253, as PostgreSQL has it for `clientname=DN` and in pg_stat_ssl: `CN=jane,OU=sales,O=Example`. */
  readonly distinguishedName: string;
}

export const CLEAR: ClearTransport = Object.freeze({ kind: 'clear' });

/** A client's connection, of which it can be found out whether the client has reset it, also where nothing more is read of it. */
export interface Touched {
  /** Sends nothing. The connection closes where it has been reset. */
  touch(): void;
}
