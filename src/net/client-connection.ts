/** The connection of one client: the stream on which it is spoken to becomes another one when it is encrypted. */
import type { Socket } from 'node:net';
import { CLEAR, type ClientTransport, type Touched } from '../auth/client-transport.js';
import type { ProxyError } from '../errors.js';
import type { Logger } from '../observe/log.js';
import { sayFarewell } from '../session/server/farewell.js';
import { TlsAcceptor, type TlsAcceptorOptions } from './tls-acceptor.js';

/** What a listener offers its clients. */
export interface TlsOffer {
  readonly acceptor: TlsAcceptor;
  /** Clients in clear are not logged in. */
  readonly isRequired: boolean;
}

/** @throws ConfigError where the files of certificates cannot be used */
export function tlsOffer(
  tls: TlsAcceptorOptions & { readonly mode: 'disable' | 'allow' | 'require' },
): TlsOffer | undefined {
  if (tls.mode === 'disable') return undefined;
  return { acceptor: new TlsAcceptor(tls), isRequired: tls.mode === 'require' };
}

export class ClientConnection implements Touched {
  /** For logs: address and port. */
  readonly name: string;
  /** Bears the name. */
  readonly log: Logger;
  readonly #socket: Socket;
  readonly #broken = (error: Error) => this.log.debug({ err: error }, 'the client connection broke');
  #stream: Socket;
  #transport: ClientTransport = CLEAR;
  #refusal: ProxyError | undefined;
  #isInHandshake = false;

  /** @param log is told of errors of the connection */
  constructor(socket: Socket, log: Logger) {
    this.name = `${socket.remoteAddress ?? 'local'}:${socket.remotePort ?? ''}`;
    this.#socket = socket;
    this.#stream = socket;
    this.log = log.child({ client: this.name });
    socket.on('error', this.#broken);
  }

  get stream(): Socket {
    return this.#stream;
  }

  /** What the client has sent, encrypted or not. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** What was sent to it. */
  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get transport(): ClientTransport {
    return this.#transport;
  }

  /** Why a client with such a certificate, or without one, is not logged in. */
  get refusal(): ProxyError | undefined {
    return this.#refusal;
  }

  /** @throws ProxyError PGC_TLS_HANDSHAKE */
  async encrypt({ acceptor }: TlsOffer, begun: 'asked' | 'direct'): Promise<void> {
    this.#isInHandshake = true;
    const { stream, transport, refusal } = await acceptor.accept(this.#socket, begun);
    stream.on('error', this.#broken);
    this.#stream = stream;
    this.#transport = transport;
    this.#refusal = refusal;
    this.#isInHandshake = false;
  }

  /**
   * Sees it when the client has been reset: an empty write sends nothing, but fails then, and the connection closes. It goes past
   * TLS, which has nothing to encrypt, and would not write.
   */
  touch(): void {
    // What still has to be written fails anyway.
    if (this.#stream.writable && this.#stream.writableLength === 0) this.#socket.write('');
  }

  onceClosed(told: () => void): void {
    this.#socket.once('close', told);
  }

  /** Tells the client why it is not served, and ends its connection. In a handshake nothing can be said. */
  refuse(error: ProxyError): void {
    if (this.#isInHandshake) this.#socket.destroy();
    else sayFarewell(this.#stream, error);
  }

  /** Closes it after what was written. */
  close(): void {
    if (this.#isInHandshake) this.#socket.destroy();
    else this.#stream.destroySoon();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}
