/** The sessions there are, with what is told of each. */
import type { Session } from '../../session/session.js';

/** Whose session it is. */
export interface SessionOwner {
  /** The client's address and port, or `local`. */
  readonly client: string;
  readonly user: string;
  readonly database: string;
  /** As the client called itself when it came. */
  readonly application: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** @param parameters of its startup packet */
export function ownerOf(client: string, parameters: ReadonlyMap<string, string>): SessionOwner {
  const user = parameters.get('user') ?? '';
  return {
    client,
    user,
    database: parameters.get('database') || user,
    application: parameters.get('application_name') ?? '',
    since: new Date().toISOString(),
  };
}

export interface SessionInfo extends SessionOwner {
  readonly state: Session['activity'];
}

export class SessionList {
  readonly #owners = new Map<Session, SessionOwner>();

  add(session: Session, owner: SessionOwner): void {
    this.#owners.set(session, owner);
  }

  /** Both of its connections are closed. */
  delete(session: Session): void {
    this.#owners.delete(session);
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#owners.keys();
  }

  /** What each of them is doing, oldest first. */
  *infos(): Iterable<SessionInfo> {
    for (const [session, owner] of this.#owners) yield { ...owner, state: session.activity };
  }
}
