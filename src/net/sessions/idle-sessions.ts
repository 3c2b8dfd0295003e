/**
 * Ends sessions that ask nothing for too long, and tells of those that keep a transaction open meanwhile. One timer looks at
 * all of them: a session has none of its own, and a message costs nothing.
 */
import { ProxyError } from '../../errors.js';
import type { SessionEvents } from '../../observe/session-events.js';
import type { Session } from '../../session/session.js';

/** In milliseconds; null: for ever. */
export interface IdleLimits {
  /** Outside of a transaction. */
  readonly idle: number | null;
  readonly inTransaction: number | null;
}

/** Where the session's client counts what it has sent, as a socket does. */
interface Counting {
  readonly bytesRead: number;
}

/** What a session was doing when it was looked at. */
interface Seen {
  readonly client: Counting;
  readonly events: Pick<SessionEvents, 'idleInTransaction'>;
  readonly activity: Session['activity'];
  readonly bytes: number;
  /** For how long it has been doing that, without a word of the client's, in milliseconds. */
  readonly milliseconds: number;
  /** It was told that it is idle in its transaction. */
  readonly isTold: boolean;
}

/** The times between two looks, in milliseconds: a session may be idle for longer than its limit by one of them. */
const [SHORTEST, LONGEST] = [10, 1000];

export class IdleSessions {
  readonly #limits: IdleLimits;
  readonly #seen = new Map<Session, Seen>();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #pause: number;
  #lastLook = performance.now();

  constructor(limits: IdleLimits) {
    this.#limits = limits;
    const shortest = Math.min(limits.idle ?? Infinity, limits.inTransaction ?? Infinity);
    this.#pause = Math.max(SHORTEST, Math.min(LONGEST, shortest / 10));
    if (shortest === Infinity) return;
    // After the reading: what has come while the loop stood still is a word of the client's.
    this.#timer = setInterval(() => setImmediate(() => this.#look()), this.#pause).unref();
  }

  /** Looks at a session from now on. */
  add(session: Session, client: Counting, events: Seen['events']): void {
    if (!this.#timer) return;
    const { activity } = session;
    const bytes = client.bytesRead;
    this.#seen.set(session, { client, events, activity, bytes, milliseconds: 0, isTold: false });
  }

  /** The session is closed. */
  delete(session: Session): void {
    this.#seen.delete(session);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A time in which the loop stood still is not the clients' fault: it counts as two pauses at most. */
  #look(): void {
    const now = performance.now();
    const passed = Math.min(now - this.#lastLook, 2 * this.#pause);
    this.#lastLook = now;
    for (const [session, seen] of this.#seen) {
      const { activity } = session;
      const bytes = seen.client.bytesRead;
      const isSame = activity !== 'active' && activity === seen.activity && bytes === seen.bytes;
      const next = isSame
        ? { ...seen, milliseconds: seen.milliseconds + passed }
        : { ...seen, activity, bytes, milliseconds: 0, isTold: false };
      this.#seen.set(session, next);
      if (isSame) this.#judge(session, next);
    }
  }

  /** What is idle in a transaction is not ended: the server's own idle_in_transaction_session_timeout does that. */
  #judge(session: Session, seen: Seen): void {
    const { idle, inTransaction } = this.#limits;
    const { milliseconds } = seen;
    if (seen.activity === 'idle') {
      if (idle !== null && milliseconds >= idle && session.isIdle) session.end(new ProxyError('PGC_IDLE'));
    } else if (inTransaction !== null && milliseconds >= inTransaction && !seen.isTold) {
      this.#seen.set(session, { ...seen, isTold: true });
      seen.events.idleInTransaction(milliseconds);
    }
  }
}
