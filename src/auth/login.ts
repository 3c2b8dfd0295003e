/** The seam between a login and the session that follows: a session begins at the first ReadyForQuery. */
import type { Duplex } from 'node:stream';
import type { ServerAuth } from '../config/values/server-auth.js';
import type { SessionEvents } from '../observe/session-events.js';
import type { SessionTarget } from '../upstream/session-kind.js';
import type { StartupPacket } from '../wire/startup.js';
import type { ClientTransport, Touched } from './client-transport.js';
import type { ServerTransport } from './exchange/server-transport.js';

export type Startup = Extract<StartupPacket, { readonly kind: 'startup' }>;

/** Logs clients in, each to an upstream connection of its own. */
export interface Login {
  /**
   * Takes a client from its startup packet to its first ReadyForQuery, which the client has got, or is getting, by then.
   * Whoever ends the client's stream for writing ends the login, and has told the client why.
   * @returns what its session begins with, both streams paused; or undefined where there will be none: the client is told why
   * @throws ProxyError where the server cannot be reached, and the client is still to be told so
   */
  run(peers: LoginPeers, startup: Startup): Promise<LoggedIn | undefined>;
}

export interface LoginPeers {
  /** Paused; somebody else listens to its errors. */
  readonly client: Duplex;
  /** The connection that the stream is on. */
  readonly connection: Touched;
  readonly transport: ClientTransport;
  readonly upstream: LoginUpstream;
  /**
   * Counts the client as one of its user's: as soon as it is known who it is, and before it has a connection to the server.
   * @throws ProxyError where there are as many as may be
   */
  readonly admit: () => void;
  /** Is told how the login ends, where that is not with a session. */
  readonly events: Pick<SessionEvents, 'ended' | 'failed'>;
}

/** Where the upstream connection of one client comes from. */
export interface LoginUpstream {
  /** For messages: `host:port`, or a socket's path. */
  readonly name: string;
  /** What a login has to be; undefined: whatever the server asks for. */
  readonly auth: ServerAuth | undefined;
  /**
   * @param look is asked where it matters which of several servers is taken, of each that answers
   * @returns the connection, on which this startup packet was sent; somebody else listens to its errors
   * @throws ProxyError where nothing answers
   */
  start(startup: Buffer, look?: LoginLook): Promise<ReachedServer>;
}

/** A server that was reached. */
export interface ReachedServer {
  readonly server: Duplex;
  /** As `LoginUpstream.name`, of this server alone. */
  readonly name: string;
  /** How the connection is made. */
  readonly transport: ServerTransport;
}

/**
 * @returns why the session that the server gives is none of those that are wanted; undefined: it is
 * @throws ProxyError where that cannot be told
 */
export type LoginLook = (reached: ReachedServer, target: SessionTarget) => Promise<string | undefined>;

/** What a session begins with. */
export interface LoggedIn {
  readonly server: Duplex;
  /** What a cancel request for the session says, as `cancelKey` gives it; undefined where the server has told none. */
  readonly key: string | undefined;
  /** What the server has reported by ParameterStatus, name and value. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The byte of the ReadyForQuery. */
  readonly status: number;
  /** What the client has sent after its last message of the login, and nobody has read. */
  readonly fromClient: Buffer;
  /** What the server has sent after its ReadyForQuery. */
  readonly fromServer: Buffer;
}
