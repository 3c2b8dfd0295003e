/** Cancel requests: which session a request is for, and whether it is sent on to the server. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Session } from '../session/session.js';
import { cancelRequest } from '../wire/startup.js';
import type { UpstreamHost } from './upstream.js';

interface Target {
  readonly session: Session;
  readonly host: UpstreamHost;
}

/** In milliseconds: the session waits so long for its next statement. */
const PATIENCE = 10_000;

export class CancelKeys {
  readonly #sessions = new Map<string, Target>();
  readonly #patience: number;

  /** @param patience how long a server may take to be reached and to act on a cancel request, in milliseconds */
  constructor(patience = PATIENCE) {
    this.#patience = patience;
  }

  /** @param host where the session's server is */
  add(key: string, session: Session, host: UpstreamHost): void {
    this.#sessions.set(key, { session, host });
  }

  /** The session is closed. Its key may be that of another one by now. */
  delete(key: string, session: Session): void {
    if (this.#sessions.get(key)?.session === session) this.#sessions.delete(key);
  }

  /**
   * Sends a cancel request on, byte for byte: its key is one that the server gave out. A request for a session that waits
   * for no answer is dropped, as it would hit that session's next statement. While the request is under way, the session
   * takes no further statement. A key that no session here has may belong to another proxy in front of the same servers.
   * @param hosts all that there are
   * @returns when the server has closed the connection, which tells that it has acted
   */
  async forward(key: string, raw: Buffer, hosts: readonly UpstreamHost[]): Promise<void> {
    const target = this.#sessions.get(key);
    if (target?.session.activity === 'active')
      await target.session.holdDuring(send(raw, target.host, this.#patience));
    if (!target) await Promise.all(hosts.map((host) => send(raw, host, this.#patience)));
  }

  /**
   * Has the server stop what the session with this key is doing.
   * @returns when the server has acted on it, which may find nothing to stop
   */
  stop(key: string, host: UpstreamHost): Promise<void> {
    return send(cancelRequest(key), host, this.#patience);
  }
}

/** What has not been sent within these milliseconds never is: it would hit another statement. */
async function send(raw: Buffer, host: UpstreamHost, milliseconds: number): Promise<void> {
  const patience = new AbortController();
  const impatient = setTimeout(() => patience.abort(), milliseconds);
  const over = once(patience.signal, 'abort');
  try {
    await Promise.race([over, host.connect().then((connection) => ask(connection, raw, patience.signal))]);
  } finally {
    clearTimeout(impatient);
  }
}

/** The server does not answer a cancel request: it closes the connection. One that breaks tells the same. */
function ask(connection: Duplex, raw: Buffer, patience: AbortSignal): Promise<void> {
  const closed = new Promise<void>((resolve) => connection.once('close', () => resolve()));
  connection.on('error', () => {});
  patience.addEventListener('abort', () => connection.destroy());
  if (patience.aborted) connection.destroy();
  else connection.resume().end(raw);
  return closed;
}
