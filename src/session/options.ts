/** What a session is made with. */
import type { Duplex } from 'node:stream';
import type { ProxyError } from '../errors.js';
import type { GraphCache } from '../graph/cache.js';
import type { KeySettings } from '../graph/catalog/key-settings.js';
import type { SessionEvents } from '../observe/session-events.js';
import type { TriggerPolicy } from '../rewrite/statement/trigger-policy.js';
import type { StatementCache } from '../rewrite/statement-cache.js';
import type { MessageMemory } from './message-memory.js';

/** What all sessions share. */
export interface SessionSettings {
  readonly upstreamName: string;
  readonly graphs: GraphCache;
  readonly statements: StatementCache;
  readonly keySettings: KeySettings;
  /** Whether cascades are on at all, and what becomes of statements that cannot be expanded. */
  readonly active: boolean;
  readonly reject: boolean;
  /** What becomes of statements that fire triggers which delete. */
  readonly triggers: TriggerPolicy;
  /** Why no cascade may be sent now, if anything: asked before each. */
  readonly obstacle: () => ProxyError | undefined;
  /** Whether the rows of cascades are counted, by table. */
  readonly counting: boolean;
  /** Whether DO and CALL are refused. */
  readonly refusesCode: boolean;
  /** The longest message taken, in bytes. */
  readonly messageBytes: number;
  /** What is kept of messages, in bytes, of all clients together. */
  readonly memory: MessageMemory;
}

export interface SessionPeers {
  /** Paused; somebody else listens to its errors, and to those of the server. */
  readonly client: Duplex;
  /** Tells databases apart in the caches. */
  readonly database: string;
  /** Is told what happens in the session. */
  readonly events: SessionEvents;
  /** Sends a cancel request for what the server is doing. Fulfilled when that has been dealt with, or cannot be. */
  readonly cancel: () => Promise<void>;
}
