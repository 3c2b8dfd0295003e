/** How the server is connected, as far as a login to it depends on that. */
export type ServerTransport =
  /** A unix socket, or a database in this process: nobody listens. */
  | { readonly kind: 'local' }
  /** Over the network, not encrypted. */
  | { readonly kind: 'clear' }
  /** With the certificate that the server has presented, in DER: it is made when it is asked for. */
  | { readonly kind: 'tls'; readonly certificate: () => Buffer | undefined };
