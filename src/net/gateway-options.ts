/** What a gateway is made with. */
import type { Login } from '../auth/login.js';
import type { Logger } from '../observe/log.js';
import type { SessionEvents } from '../observe/session-events.js';
import type { SessionSettings } from '../session/options.js';
import type { AdmissionLimits } from './sessions/admissions.js';
import type { IdleLimits } from './sessions/idle-sessions.js';
import type { SessionOwner } from './sessions/session-list.js';
import type { Upstream } from './upstream.js';

/** How clients are let in. */
export interface Entrance {
  readonly login: Login;
  readonly admission: AdmissionLimits;
  /** Milliseconds a client may take until it is logged in. */
  readonly loginTimeout: number;
}

export interface GatewayOptions {
  readonly upstream: Upstream;
  readonly session: SessionSettings;
  /** What holds for a client that comes now. */
  readonly entrance: () => Entrance;
  readonly idle: IdleLimits;
  /** Milliseconds that a server may take to act on a cancel request, where not as usual. */
  readonly cancelPatience?: number | undefined;
  readonly log: Logger;
  /**
   * Who listens to what happens to a client.
   * @param log bears the client's address
   * @param database what tells it apart in the caches; it and the owner are undefined before the client has said them
   */
  readonly listener: (log: Logger, database?: string, owner?: SessionOwner) => SessionEvents;
}
