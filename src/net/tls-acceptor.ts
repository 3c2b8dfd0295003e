/** Encrypts the connections of clients, with what the files of the configuration said when it was made. */
import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { TlsTransport } from '../auth/client-transport.js';
import { ConfigError } from '../config/problems.js';
import { readPresented, type TlsFiles } from '../credentials/presented.js';
import { ProxyError } from '../errors.js';
import { verifiedClient } from './client-certificate.js';

/** The name of the protocol in a handshake (ALPN). */
const PROTOCOL = 'postgresql';

export interface TlsAcceptorOptions extends TlsFiles {
  readonly client_auth: 'none' | 'want' | 'require';
}

export interface Encrypted {
  readonly stream: TLSSocket;
  readonly transport: TlsTransport;
  /** Why the client's certificate, or that it has none, lets it not log in. */
  readonly refusal: ProxyError | undefined;
}

interface Handshake {
  readonly succeeded: (stream: TLSSocket) => void;
  readonly failed: (reason: string) => void;
}

export class TlsAcceptor {
  readonly #options: TlsAcceptorOptions;
  /** Those under way, by both ends of their connections: that is all by which a server of node:tls tells them apart. */
  readonly #handshakes = new Map<string, Handshake>();
  readonly #server: Server;
  /** That all clients get, in DER. To ask each connection for it costs as much as a part of the handshake. */
  readonly #certificate: Buffer;

  /** @throws ConfigError where the files cannot be used */
  constructor(options: TlsAcceptorOptions) {
    const presented = readPresented(options);
    if (presented.kind === 'broken')
      throw new ConfigError(presented.problems.map(({ key, text }) => `tls.${key}: ${text}`).join('\n'));
    const { cert } = presented.credentials;
    if (cert === undefined) throw new ConfigError('tls.cert: is missing');
    this.#options = options;
    this.#certificate = new X509Certificate(cert).raw;
    this.#server = this.#serverWith(presented.credentials);
  }

  /**
   * Does the handshake, with what was unshifted into the stream first.
   * @param begun `direct`: the client has not asked before, and has to name the protocol (ALPN)
   * @throws ProxyError PGC_TLS_HANDSHAKE
   */
  async accept(socket: Socket, begun: 'asked' | 'direct'): Promise<Encrypted> {
    if (socket.destroyed || socket.remotePort === undefined)
      throw handshakeFailed('the connection was closed');
    const ends = endsOf(socket);
    // Else node:tls would wait for the rest of a handshake from a client that is gone.
    socket.allowHalfOpen = false;
    try {
      const stream = await new Promise<TLSSocket>((succeeded, reject) => {
        const failed = (reason: string) => reject(handshakeFailed(reason));
        this.#handshakes.set(ends, { succeeded, failed });
        socket.once('close', () => failed('the connection was closed'));
        this.#server.emit('connection', socket);
      });
      stream.allowHalfOpen = true;
      if (begun === 'asked' || stream.alpnProtocol === PROTOCOL) return this.#judge(stream);
      stream.destroy();
      throw handshakeFailed('direct TLS without the protocol name "postgresql" (ALPN)');
    } finally {
      this.#handshakes.delete(ends);
    }
  }

  /** The certificate is judged here and not in the handshake, so that the client is told what is wrong with it. */
  #judge(stream: TLSSocket): Encrypted {
    const { client_auth } = this.#options;
    const certificate = client_auth === 'none' ? undefined : stream.getPeerX509Certificate();
    const isValid = certificate !== undefined && stream.authorized;
    return {
      stream,
      transport: Object.freeze({
        kind: 'tls',
        ownCertificate: this.#certificate,
        client: isValid ? verifiedClient(certificate) : undefined,
      }),
      refusal: refusalOf(client_auth, certificate, stream),
    };
  }

  #serverWith(credentials: object): Server {
    const server = createServer({
      ...credentials,
      minVersion: 'TLSv1.2',
      ALPNProtocols: [PROTOCOL],
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      requestCert: this.#options.client_auth !== 'none',
      rejectUnauthorized: false,
    });
    server.on('secureConnection', (stream) => {
      const handshake = this.#handshakes.get(endsOf(stream));
      if (handshake) handshake.succeeded(stream);
      else stream.destroy();
    });
    server.on('tlsClientError', (error: Error & { reason?: string }, stream) =>
      this.#handshakes.get(endsOf(stream))?.failed(error.reason ?? error.message),
    );
    return server;
  }
}

function refusalOf(
  wanted: TlsAcceptorOptions['client_auth'],
  certificate: X509Certificate | undefined,
  { authorized, authorizationError }: TLSSocket,
): ProxyError | undefined {
  if (certificate === undefined)
    return wanted === 'require' ? new ProxyError('PGC_CERTIFICATE_MISSING') : undefined;
  return authorized
    ? undefined
    : new ProxyError('PGC_CERTIFICATE_INVALID', { reason: String(authorizationError) });
}

/** The connection is of no use any more, and the client has been told why by a TLS alert, if at all. */
function handshakeFailed(reason: string): ProxyError {
  return new ProxyError('PGC_TLS_HANDSHAKE', { reason });
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return [localAddress, localPort, remoteAddress, remotePort].join(' ');
}
