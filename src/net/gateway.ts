/** Accepts clients: reads the startup packet of each, has it logged in to the server, and counts sessions. */
import type { Socket } from 'node:net';
import type { LoggedIn, Startup } from '../auth/login.js';
import { ProxyError } from '../errors.js';
import type { Logger } from '../observe/log.js';
import type { SessionEvents } from '../observe/session-events.js';
import { sayFarewell } from '../session/server/farewell.js';
import { Session } from '../session/session.js';
import { ProtocolViolation } from '../wire/reader.js';
import { CancelKeys } from './cancel.js';
import { ClientConnection, type TlsOffer } from './client-connection.js';
import { ClientUpstream, Unwanted } from './client-upstream.js';
import { relayRefusal } from './foreign-protocol.js';
import type { GatewayOptions } from './gateway-options.js';
import { type Opening, readOpening } from './handshake.js';
import { OpenClients } from './open-clients.js';
import { type Admission, Admissions } from './sessions/admissions.js';
import { IdleSessions } from './sessions/idle-sessions.js';
import { ownerOf, type SessionInfo, SessionList, type SessionOwner } from './sessions/session-list.js';
import type { UpstreamHost } from './upstream.js';

/** A login that is not over. */
interface Entering {
  readonly events: SessionEvents;
  readonly upstream: ClientUpstream;
}

/** What a client takes that has asked for a session. */
interface Served {
  readonly upstream: ClientUpstream;
  readonly admission: Admission;
}

/** What belongs to a client for as long as it is there is found by the client: a listener for each of these would take more memory. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #clients = new OpenClients();
  readonly #sessions = new SessionList();
  /** What ends each login that takes too long. */
  readonly #timers = new Map<ClientConnection, NodeJS.Timeout>();
  /** The clients that have asked for a session. They count until both connections are closed. */
  readonly #admissions: Admissions;
  readonly #served = new Map<ClientConnection, Served>();
  readonly #idle: IdleSessions;
  /** The admitted clients whose login is not over. */
  readonly #entering = new Map<ClientConnection, Entering>();
  /** The clients of which is told that they get no session. */
  readonly #turnedAway = new WeakSet<ClientConnection>();
  readonly #keys: CancelKeys;
  #draining = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#admissions = new Admissions(() => options.entrance().admission);
    this.#idle = new IdleSessions(options.idle);
    this.#keys = new CancelKeys(options.cancelPatience);
  }

  get isFull(): boolean {
    return this.#admissions.isFull;
  }

  /** How many clients have no session yet, or get none. */
  get entering(): number {
    return this.#entering.size;
  }

  get sessions(): Iterable<SessionInfo> {
    return this.#sessions.infos();
  }

  get traffic(): OpenClients['total'] {
    return this.#clients.total;
  }

  /**
   * Serves a client to its end.
   * @param tls undefined where it does not get TLS
   */
  accept(socket: Socket, tls: TlsOffer | undefined): void {
    const client = new ClientConnection(socket, this.#options.log);
    this.#count(client);
    const events = this.#options.listener(client.log);
    events.connected();
    const refuse = (error: ProxyError) => {
      this.#notLoggedIn(client, events, error);
      client.refuse(error);
    };
    const tooLate = () => {
      refuse(new ProxyError('PGC_LOGIN_TIMEOUT'));
      this.#entering.get(client)?.upstream.abandon();
    };
    this.#timers.set(client, setTimeout(tooLate, this.#options.entrance().loginTimeout));
    this.#serve(client, tls).catch((error: unknown) => {
      this.#stopTimer(client);
      if (error instanceof Unwanted) this.#notLoggedIn(client, events, 'client');
      else if (error instanceof ProtocolViolation)
        refuse(new ProxyError('PGC_PROTOCOL', { reason: error.message }));
      else if (error instanceof ProxyError) {
        // The client has sent nothing that is unread. Its socket is closed, as many refused clients would use up the open files.
        refuse(error);
        client.close();
      } else {
        client.log.error({ err: error }, 'a client could not be served');
        client.destroy();
      }
    });
  }

  #count(client: ClientConnection): void {
    this.#clients.add(client);
    client.onceClosed(() => {
      this.#clients.delete(client);
      // Who has said goodbye may be gone, and what it has asked for still be wanted.
      if (!this.#entering.has(client)) this.#stopTimer(client);
      const served = this.#served.get(client);
      if (!served) return;
      this.#served.delete(client);
      served.upstream.stopConnecting();
      served.upstream.closed().then(() => served.admission.release());
    });
  }

  #stopTimer(client: ClientConnection): void {
    clearTimeout(this.#timers.get(client));
    this.#timers.delete(client);
  }

  /**
   * Tells new clients, and those that are not logged in, that the proxy is shutting down (57P03). Lets open transactions
   * end, and then ends the sessions and closes all connections.
   * @param timeout milliseconds after which sessions are ended all the same
   */
  async drain(timeout: number): Promise<void> {
    this.#draining = true;
    for (const [client, { events, upstream }] of this.#entering) {
      const error = new ProxyError('PGC_DRAINING');
      this.#notLoggedIn(client, events, error);
      client.refuse(error);
      upstream.abandon();
    }
    for (const session of this.#sessions) session.drain();
    const forced = setTimeout(() => {
      for (const session of this.#sessions) session.end(new ProxyError('PGC_SHUTDOWN'));
      for (const client of this.#clients) client.close();
    }, timeout);
    await this.#admissions.emptied();
    this.#idle.close();
    clearTimeout(forced);
    // Clients that have sent no whole startup packet are not waited for.
    for (const client of this.#clients) client.close();
  }

  /** The first reason counts. */
  #notLoggedIn(client: ClientConnection, events: SessionEvents, why: ProxyError | 'server' | 'client'): void {
    if (this.#turnedAway.has(client)) return;
    this.#turnedAway.add(client);
    events.notLoggedIn(why);
  }

  async #serve(client: ClientConnection, tls: TlsOffer | undefined): Promise<void> {
    const opening = await readOpening(client, tls);
    if (opening === undefined) return void client.destroy();
    if (opening.kind === 'none') return sayFarewell(client.stream);
    if (opening.kind === 'cancel') return this.#cancel(client, opening);
    if (this.#draining) throw new ProxyError('PGC_DRAINING');
    if (client.refusal) throw client.refusal;
    if (tls?.isRequired && client.transport.kind === 'clear') throw new ProxyError('PGC_TLS_REQUIRED');
    const owner = opening.kind === 'startup' ? ownerOf(client.name, opening.parameters) : undefined;
    if (client.stream.destroyed) return;
    const admission = this.#admissions.admit();
    const admit = () => admission.takeAs(owner);
    const upstream = new ClientUpstream(this.#options.upstream, client);
    this.#served.set(client, { upstream, admission });
    if (opening.kind === 'startup' && owner) await this.#logIn(client, opening, owner, { upstream, admit });
    else await relayRefusal(client.stream, opening.raw, upstream);
  }

  async #cancel(client: ClientConnection, opening: Opening & { kind: 'cancel' }): Promise<void> {
    this.#stopTimer(client);
    try {
      await this.#keys.forward(opening.key, opening.raw, this.#options.upstream.hosts);
    } catch (error) {
      client.log.warn({ err: error }, 'a cancel request could not be sent on');
    }
    client.close();
  }

  async #logIn(
    client: ClientConnection,
    startup: Startup,
    owner: SessionOwner,
    { upstream, admit }: { upstream: ClientUpstream; admit: () => void },
  ): Promise<void> {
    const events = this.#options.listener(client.log, `${upstream.name}/${owner.database}`, owner);
    this.#entering.set(client, { events, upstream });
    const told = {
      ended: (error: ProxyError) => this.#notLoggedIn(client, events, error),
      failed: (error: unknown) => events.failed(error),
    };
    try {
      const { stream, transport } = client;
      const peers = { client: stream, connection: client, transport, upstream, admit, events: told };
      const entered = await this.#options.entrance().login.run(peers, startup);
      const { host } = upstream;
      this.#stopTimer(client);
      if (!entered) this.#notLoggedIn(client, events, client.stream.destroyed ? 'client' : 'server');
      // It may have been told meanwhile why it is not served.
      else if (client.stream.writableEnded) entered.server.destroy();
      else if (host) this.#begin(client, startup, owner, { host, events }, entered);
    } finally {
      this.#entering.delete(client);
    }
  }

  #begin(
    connection: ClientConnection,
    startup: Startup,
    owner: SessionOwner,
    { host, events }: { host: UpstreamHost; events: SessionEvents },
    loggedIn: LoggedIn,
  ): void {
    // Of one name, each server has a database of its own.
    const database = `${host.name}/${owner.database}`;
    const [{ key }, { log }] = [loggedIn, connection];
    const cancel = () => this.#stop(key, host, log);
    const [client, { name }] = [connection.stream, host];
    const peers = { client, connection, database, host: name, startup: startup.parameters, events, cancel };
    const session = new Session(peers, loggedIn, this.#options.session);
    if (key !== undefined) this.#keys.add(key, session, host);
    this.#sessions.add(session, owner);
    this.#idle.add(session, connection, events);
    session.closed.then(() => {
      if (key !== undefined) this.#keys.delete(key, session);
      this.#sessions.delete(session);
      this.#idle.delete(session);
    });
  }

  async #stop(key: string | undefined, host: UpstreamHost, log: Logger): Promise<void> {
    if (key === undefined) return;
    log.debug('what the session left running is cancelled');
    try {
      await this.#keys.stop(key, host);
    } catch (error) {
      log.warn({ err: error }, 'what a client left running could not be cancelled');
    }
  }
}
