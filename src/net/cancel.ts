/** Cancel requests: which session they mean, and whether they may go on. */
import type { Duplex } from 'node:stream';
import type { Session } from '../session/session.js';
import { cancelRequest } from '../wire/startup.js';
import type { Upstream } from './upstream.js';

export class CancelKeys {
  readonly #sessions = new Map<string, Session>();

  add(key: string, session: Session): void {
    this.#sessions.set(key, session);
    session.closed.then(() => {
      if (this.#sessions.get(key) === session) this.#sessions.delete(key);
    });
  }

  /**
   * Sends a cancel request on, byte for byte: the key is the server's own. One for a session that waits for nothing is
   * dropped, as it would hit that session's next statement; the session takes none until the request has been dealt with.
   * A key of no session here may be one of another proxy in front of the same server.
   * @returns when the server has closed the connection, which tells that it has acted
   */
  async forward(key: string, raw: Buffer, upstream: Upstream): Promise<void> {
    const session = this.#sessions.get(key);
    if (session === undefined) return send(raw, upstream);
    if (session.atWork) await session.holdDuring(send(raw, upstream));
  }
}

/** How long a server may take to act on a cancel request, in milliseconds: the session waits for it. */
const PATIENCE = 10_000;

/**
 * Has the server stop what the session with this key is doing.
 * @returns when the server has acted on it, which may find nothing to stop
 */
export function cancelWhatRuns(key: string, upstream: Upstream): Promise<void> {
  return send(cancelRequest(key), upstream);
}

async function send(raw: Buffer, upstream: Upstream): Promise<void> {
  const connection: Duplex = await upstream.connect();
  const impatient = setTimeout(() => connection.destroy(), PATIENCE);
  const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()));
  // A request is not answered; a connection that breaks is as good as one that closes.
  connection.on('error', () => {});
  connection.resume();
  connection.end(raw);
  await closed;
  clearTimeout(impatient);
}
