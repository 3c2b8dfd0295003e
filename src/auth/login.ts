/** The seam between a login and the session behind it: a session begins at the first ReadyForQuery. */
import type { Duplex } from 'node:stream';
import type { SessionEvents } from '../observe/session-events.js';
import type { StartupPacket } from '../wire/startup.js';
import type { ClientTransport } from './client-transport.js';
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
  readonly transport: ClientTransport;
  readonly upstream: LoginUpstream;
  /** Is told how the login ends, where that is not with a session. */
  readonly events: Pick<SessionEvents, 'ended' | 'failed'>;
}

/** Where the upstream connection of one client comes from. */
export interface LoginUpstream {
  /** For messages: `host:port`, or a socket's path. */
  readonly name: string;
  /**
   * @returns the connection, on which this startup packet was sent; somebody else listens to its errors
   * @throws ProxyError where nothing answers
   */
  start(startup: Buffer): Promise<Duplex>;
  /** How the connection is made, when there is one. */
  readonly transport: ServerTransport;
}

/** What a session begins with. */
export interface LoggedIn {
  readonly server: Duplex;
  /** What a cancel request for the session says, as `cancelKey` gives it; undefined where the server has told none. */
  readonly key: string | undefined;
  /** What the server has reported by ParameterStatus, name and value. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The byte of the ReadyForQuery. */
  readonly status: number;
  /** What the client has sent behind its last message of the login, and nobody has read. */
  readonly fromClient: Buffer;
  /** What the server has sent behind its ReadyForQuery. */
  readonly fromServer: Buffer;
}
