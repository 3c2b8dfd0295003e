/** The upstream connection of one client: how it is opened, and when it is closed. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ServerTransport } from '../auth/exchange/server-transport.js';
import type { LoginUpstream } from '../auth/login.js';
import { ProxyError } from '../errors.js';
import type { Logger } from '../observe/log.js';
import { closedOf } from '../session/leaving.js';
import type { Upstream } from './upstream.js';

export class ClientUpstream implements LoginUpstream {
  readonly #upstream: Upstream;
  readonly #log: Logger;
  #connection: Duplex | undefined;

  constructor(upstream: Upstream, log: Logger) {
    this.#upstream = upstream;
    this.#log = log;
  }

  get name(): string {
    return this.#upstream.name;
  }

  get transport(): ServerTransport {
    const connection = this.#connection;
    if (connection instanceof TLSSocket)
      return { kind: 'tls', certificate: connection.getPeerX509Certificate()?.raw };
    const isRemote = connection instanceof Socket && connection.remoteFamily !== undefined;
    return { kind: isRemote ? 'clear' : 'local' };
  }

  async connect(): Promise<Duplex> {
    const connection = await this.#upstream.connect().catch((error: NodeJS.ErrnoException) => {
      const reason = error.code ?? error.message;
      this.#log.error({ err: error }, `could not connect to ${this.name}`);
      throw new ProxyError('PGC_UPSTREAM_UNREACHABLE', { upstream: this.name, reason });
    });
    this.#connection = connection;
    connection.on('error', (error) => this.#log.debug({ err: error }, 'the upstream connection broke'));
    return connection;
  }

  /** Fulfilled when the connection is closed: at once where it is not open yet. */
  async closed(): Promise<void> {
    if (this.#connection) await closedOf(this.#connection);
  }
}
