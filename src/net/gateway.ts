/** Accepts clients: reads the startup packet of each, connects it to the server, and counts sessions. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ProxyError } from '../errors.js';
import type { Logger } from '../observe/log.js';
import type { Repeats } from '../observe/repeats.js';
import { SessionLog } from '../observe/session-log.js';
import type { SessionSettings } from '../session/options.js';
import { sayFarewell } from '../session/server/farewell.js';
import { Session } from '../session/session.js';
import { ProtocolViolation } from '../wire/reader.js';
import { CancelKeys, cancelWhatRuns } from './cancel.js';
import { type Opening, readOpening } from './handshake.js';
import type { Upstream } from './upstream.js';

export interface GatewayOptions {
  readonly upstream: Upstream;
  readonly session: SessionSettings;
  readonly connections: number;
  /** Milliseconds a client may take until it is logged in. */
  readonly loginTimeout: number;
  readonly log: Logger;
  /** What was logged of late, of all clients together. */
  readonly repeats: Repeats;
}

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #clients = new Set<Socket>();
  readonly #sessions = new Set<Session>();
  /** The clients that have asked for a session. They count from then on, so that many at once do not go over the limit. */
  readonly #admitted = new Set<Socket>();
  /** The admitted clients that have a session: each counts until its upstream connection is closed too. */
  readonly #served = new WeakSet<Socket>();
  /** The admitted clients whose upstream connection is not open yet. */
  readonly #connecting = new Set<Socket>();
  readonly #keys = new CancelKeys();
  #draining = false;
  #empty: (() => void) | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#admitted.size >= this.#options.connections;
  }

  /** Serves a client to its end. */
  accept(client: Socket): void {
    const log = this.#options.log.child({
      client: `${client.remoteAddress ?? 'local'}:${client.remotePort ?? ''}`,
    });
    this.#clients.add(client);
    client.once('close', () => {
      this.#clients.delete(client);
      if (!this.#served.has(client)) this.#release(client);
      clearTimeout(login);
    });
    client.on('error', (error) => log.debug({ err: error }, 'the client connection broke'));
    const sessionLog = new SessionLog(log, this.#options.repeats);
    const refuse = (error: ProxyError) => {
      sessionLog.refused(error);
      sayFarewell(client, error);
    };
    const login = setTimeout(() => refuse(new ProxyError('PGC_LOGIN_TIMEOUT')), this.#options.loginTimeout);
    this.#serve(client, log, () => clearTimeout(login)).catch((error: unknown) => {
      clearTimeout(login);
      if (error instanceof ProtocolViolation)
        refuse(new ProxyError('PGC_PROTOCOL', { reason: error.message }));
      else if (error instanceof ProxyError) {
        // The client has sent nothing that is unread. Its socket is closed, as many refused clients would use up the open files.
        refuse(error);
        client.destroySoon();
      } else {
        log.error({ err: error }, 'a client could not be served');
        client.destroy();
      }
    });
  }

  /**
   * Tells new clients, and those that are not logged in, that the proxy is shutting down (57P03). Lets open transactions
   * end, and then ends the sessions and closes all connections.
   * @param timeout milliseconds after which sessions are ended all the same
   */
  async drain(timeout: number): Promise<void> {
    this.#draining = true;
    for (const client of this.#connecting) sayFarewell(client, new ProxyError('PGC_DRAINING'));
    for (const session of this.#sessions) session.drain();
    const forced = setTimeout(() => {
      for (const session of this.#sessions) session.end(new ProxyError('PGC_SHUTDOWN'));
      for (const client of this.#clients) client.destroySoon();
    }, timeout);
    if (this.#admitted.size > 0)
      await new Promise<void>((resolve) => {
        this.#empty = resolve;
      });
    clearTimeout(forced);
    // Clients that have sent no whole startup packet are not waited for.
    for (const client of this.#clients) client.destroySoon();
  }

  #release(client: Socket): void {
    this.#admitted.delete(client);
    if (this.#admitted.size === 0) this.#empty?.();
  }

  async #serve(client: Socket, log: Logger, loggedIn: () => void): Promise<void> {
    const opening = await readOpening(client);
    if (opening === undefined) return void client.destroy();
    if (opening.kind === 'none') return sayFarewell(client);
    if (opening.kind === 'cancel') return this.#cancel(client, opening, log, loggedIn);
    if (this.#draining) throw new ProxyError('PGC_DRAINING');
    if (this.isFull) throw new ProxyError('PGC_CONNECTIONS');
    if (client.destroyed) return;
    this.#admitted.add(client);
    if (opening.kind === 'foreign') await this.#relayRefusal(client, opening.raw, log);
    else await this.#open(client, opening, log, loggedIn);
  }

  /**
   * Lets the server refuse a startup packet of another protocol version, in the form of that version. The server gets
   * nothing else from this client: no session would read it, so no DELETE in it could be expanded.
   */
  async #relayRefusal(client: Socket, startup: Buffer, log: Logger): Promise<void> {
    const server = await this.#connect(log);
    server.on('error', (error) => log.debug({ err: error }, 'the upstream connection broke'));
    server.on('data', (answer: Buffer) => client.write(answer));
    server.once('end', () => sayFarewell(client)).once('close', () => sayFarewell(client));
    client.once('close', () => server.destroy());
    if (client.destroyed) server.destroy();
    else server.end(startup);
  }

  async #cancel(
    client: Socket,
    opening: Opening & { kind: 'cancel' },
    log: Logger,
    done: () => void,
  ): Promise<void> {
    done();
    try {
      await this.#keys.forward(opening.key, opening.raw, this.#options.upstream);
    } catch (error) {
      log.warn({ err: error }, 'a cancel request could not be sent on');
    }
    client.destroySoon();
  }

  async #open(
    client: Socket,
    opening: Opening & { kind: 'startup' },
    log: Logger,
    loggedIn: () => void,
  ): Promise<void> {
    const { upstream } = this.#options;
    this.#connecting.add(client);
    const server = await this.#connect(log).finally(() => this.#connecting.delete(client));
    // The client may be gone by now, or may have been told that the proxy shuts down: neither needs a session. (A client
    // that has only closed its own side for writing is served.)
    if (client.destroyed || client.writableEnded) {
      server.destroy();
      client.destroySoon();
      return;
    }
    server.write(opening.raw);
    let key: string | undefined;
    const user = opening.parameters.get('user') ?? '';
    const database = `${upstream.name}/${opening.parameters.get('database') || user}`;
    const session: Session = new Session(
      {
        client,
        server,
        database,
        events: new SessionLog(log, this.#options.repeats, database),
        onKey: (it) => {
          key = it;
          this.#keys.add(it, session);
        },
        cancel: () => this.#stop(key, log),
        onReady: loggedIn,
      },
      this.#options.session,
    );
    this.#sessions.add(session);
    this.#served.add(client);
    session.closed.then(() => {
      loggedIn();
      this.#sessions.delete(session);
      this.#release(client);
    });
    if (this.#draining) session.drain();
  }

  async #stop(key: string | undefined, log: Logger): Promise<void> {
    if (key === undefined) return;
    log.debug('what the session left running is cancelled');
    try {
      await cancelWhatRuns(key, this.#options.upstream);
    } catch (error) {
      log.warn({ err: error }, 'what a client left running could not be cancelled');
    }
  }

  #connect(log: Logger): Promise<Duplex> {
    const { upstream } = this.#options;
    return upstream.connect().catch((error: NodeJS.ErrnoException) => {
      const reason = error.code ?? error.message;
      log.error({ err: error }, `could not connect to ${upstream.name}`);
      throw new ProxyError('PGC_UPSTREAM_UNREACHABLE', { upstream: upstream.name, reason });
    });
  }
}
