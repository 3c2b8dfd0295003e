import type { Duplex } from 'node:stream';

/**
 * Where the proxy connects to. One call of `connect` is one upstream connection, for one client: the stream speaks the
 * PostgreSQL protocol from the startup packet on.
 */
export interface Upstream {
  /** For logs and messages: `host:port`, a socket's path, or `embedded`. Never has a password in it. */
  readonly name: string;
  /** @throws an Error with `code` (ECONNREFUSED, …) where nothing answers. */
  connect(): Promise<Duplex>;
  /**
   * A connection on which this startup packet was sent, and on which the server's answer is still to be read.
   * @param signal ends the attempt, and not the connection that it has led to
   * @throws as `connect`
   */
  start(startup: Buffer, signal: AbortSignal): Promise<Duplex>;
  /** Ends what the upstream itself runs (an embedded database). Who called `connect` ends the connection. */
  close(): Promise<void>;
}
