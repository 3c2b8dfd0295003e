/** The upstream connection of one client: how it is opened, and when it is closed. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Listening } from '../auth/exchange/listening.js';
import type { ServerTransport } from '../auth/exchange/server-transport.js';
import type { LoginLook, LoginUpstream, ReachedServer } from '../auth/login.js';
import { ProxyError } from '../errors.js';
import type { Logger } from '../observe/log.js';
import { closedOf } from '../session/leaving.js';
import { reasonOf } from '../upstream/hosts.js';
import type { ClientConnection } from './client-connection.js';
import type { Upstream, UpstreamHost } from './upstream.js';

/** The client was gone, or had been told why it is not served, before the server was reached. */
export class Unwanted extends Error {}

export class ClientUpstream implements LoginUpstream {
  readonly #upstream: Upstream;
  readonly #client: ClientConnection;
  readonly #log: Logger;
  #isUnwanted = false;
  /** Ends the attempt to connect, while there is one. */
  #attempt: AbortController | undefined;
  #connection: Duplex | undefined;
  #host: UpstreamHost | undefined;

  constructor(upstream: Upstream, client: ClientConnection) {
    this.#upstream = upstream;
    this.#client = client;
    this.#log = client.log;
  }

  get name(): string {
    return this.#upstream.name;
  }

  get auth(): LoginUpstream['auth'] {
    return this.#upstream.auth;
  }

  /** The server that was taken; undefined before there is one. */
  get host(): UpstreamHost | undefined {
    return this.#host;
  }

  /** @throws Unwanted where the attempt was ended */
  async start(startup: Buffer, look?: LoginLook): Promise<ReachedServer> {
    const [upstream, client, attempt] = [this.#upstream, this.#client.stream, new AbortController()];
    const { signal } = attempt;
    if (this.#isUnwanted) attempt.abort();
    this.#attempt = attempt;
    const listening = new Listening();
    // Of a stream that nobody reads not even a reset is seen. What comes stays in it.
    listening.to(client, 'readable', () => {});
    listening.forReset(this.#client);
    try {
      const { connection, host } = await upstream.start(
        startup,
        signal,
        look && ((server, name, target) => look({ server, name, transport: transportOf(server) }, target)),
      );
      [this.#connection, this.#host] = [connection, host];
      connection.on('error', (error) => this.#log.debug({ err: error }, 'the upstream connection broke'));
      return { server: connection, name: host.name, transport: transportOf(connection) };
    } catch (error) {
      if (signal.aborted) throw new Unwanted('nobody waits for the upstream connection', { cause: error });
      const known = [error, Object(error).cause].find((each) => each instanceof ProxyError);
      if (known) throw known;
      this.#log.error({ err: error }, `could not connect to ${this.name}`);
      throw new ProxyError('PGC_UPSTREAM_UNREACHABLE', { upstream: this.name, reason: reasonOf(error) });
    } finally {
      this.#attempt = undefined;
      listening.stop();
      // It has been told meanwhile why it is not served: nobody else reads on to its end.
      if (client.writableEnded) client.resume();
    }
  }

  /** Ends an attempt to connect: the client is gone, or has been told why it is not served. */
  stopConnecting(): void {
    this.#isUnwanted = true;
    this.#attempt?.abort();
  }

  /** Ends the connection, too. */
  abandon(): void {
    this.stopConnecting();
    this.#connection?.destroy();
  }

  /** Fulfilled when the connection is closed: at once where it is not open yet. */
  async closed(): Promise<void> {
    if (this.#connection) await closedOf(this.#connection);
  }
}

function transportOf(connection: Duplex): ServerTransport {
  if (connection instanceof TLSSocket)
    // To make it costs as much as a part of the handshake, and a relayed login has no use for it.
    return { kind: 'tls', certificate: () => connection.getPeerX509Certificate()?.raw };
  const isRemote = connection instanceof Socket && connection.remoteFamily !== undefined;
  return { kind: isRemote ? 'clear' : 'local' };
}
