import type { Duplex } from 'node:stream';
import type { ServerAuth } from '../config/values/server-auth.js';
import type { SessionTarget } from '../upstream/session-kind.js';

/** Where the proxy connects to: one server, or several of which one is taken for each client. */
export interface Upstream {
  /** For logs and messages: `host:port`, a socket's path, several with commas, or `embedded`. Never has a password in it. */
  readonly name: string;
  readonly hosts: readonly UpstreamHost[];
  /** What each login has to be; undefined: whatever the server asks for. */
  readonly auth?: ServerAuth | undefined;
  /**
   * A connection for one client, on which this startup packet was sent, and on which the server's answer is still to be read.
   * @param signal ends the attempt, and not the connection that it has led to
   * @param look judges a session before the client hears of it, where it matters which server is taken
   * @throws an Error with `code` (ECONNREFUSED, …) where nothing answers, or one that says of each server what it said
   */
  start(startup: Buffer, signal: AbortSignal, look?: SessionLook): Promise<Started>;
  /** Ends what the upstream itself runs (an embedded database). Who called `start` ends the connection. */
  close(): Promise<void>;
}

export interface Started {
  readonly connection: Duplex;
  readonly host: UpstreamHost;
}

/** One server, or one address of it. */
export interface UpstreamHost {
  readonly name: string;
  /** A connection on which nothing was said: for cancel requests. @throws an Error with `code` where nothing answers */
  connect(): Promise<Duplex>;
}

/**
 * @param host its name, for messages
 * @returns why the session is none of those that are wanted; undefined: it is, and all that the client has to hear is still
 * to be read
 */
export type SessionLook = (
  connection: Duplex,
  host: string,
  target: SessionTarget,
) => Promise<string | undefined>;
