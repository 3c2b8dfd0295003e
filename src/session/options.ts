/** What a session is made with. */
import type { Duplex } from 'node:stream';
import type { Touched } from '../auth/client-transport.js';
import type { ProxyError } from '../errors.js';
import type { SessionEvents } from '../observe/session-events.js';
import type { Recognition } from '../profiles/recognise.js';
import type { StatementCache } from '../rewrite/statement-cache.js';
import type { MessageMemory } from './message-memory.js';
import type { Policy } from './policy/policy.js';

/** What all sessions share. */
export interface SessionSettings {
  readonly upstreamName: string;
  /** What the configuration says that the server is; undefined where the proxy finds out itself. */
  readonly family: Recognition | undefined;
  readonly statements: StatementCache;
  /** The policy of the configuration as it is now. */
  readonly policy: () => Policy;
  /** Why no cascade may be sent now, if anything: asked before each. */
  readonly obstacle: () => ProxyError | undefined;
  /** Whether the rows of cascades are counted, by table. */
  readonly counting: boolean;
  /** The longest message taken, in bytes. */
  readonly messageBytes: number;
  /** What all clients' messages may take together. */
  readonly memory: MessageMemory;
}

export interface SessionPeers {
  /** Paused; the caller listens to its errors, and to those of the server. */
  readonly client: Duplex;
  /** The connection that the stream is on. */
  readonly connection: Touched;
  /** Tells databases apart in the caches. */
  readonly database: string;
  /** The server, as the configuration names it. */
  readonly host: string;
  /** What the client has asked for in its startup packet, name and value. */
  readonly startup: ReadonlyMap<string, string>;
  /** Is told what happens in the session. */
  readonly events: SessionEvents;
  /** Sends a cancel request for what the server is doing. Fulfilled when that has been dealt with, or cannot be. */
  readonly cancel: () => Promise<void>;
}
