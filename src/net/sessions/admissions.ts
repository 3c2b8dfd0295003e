/** How many clients are served at a time: all together, those of one user, and those of one database. */
import { ProxyError } from '../../errors.js';

/** Null: as many as there may be in all. */
export interface AdmissionLimits {
  readonly connections: number;
  readonly perUser: number | null;
  readonly perDatabase: number | null;
}

/** As whom a client has come, and where to. */
export interface Admitted {
  readonly user: string;
  readonly database: string;
}

/** A client counts from its startup packet on, so that many at once do not go over a limit, and until it is released. */
export class Admissions {
  readonly #limits: () => AdmissionLimits;
  readonly #users = new Map<string, number>();
  readonly #databases = new Map<string, number>();
  #size = 0;
  #empty: (() => void) | undefined;

  /** @param limits those that hold now */
  constructor(limits: () => AdmissionLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    return this.#size >= this.#limits().connections;
  }

  /**
   * @param who undefined for a client that gets no session, whoever it is
   * @returns what releases the client; it is called once
   * @throws ProxyError where there are as many as may be, in PostgreSQL's order (InitPostgres): all, the user, the database
   */
  admit(who: Admitted | undefined): () => void {
    if (this.isFull) throw new ProxyError('PGC_CONNECTIONS');
    const { perUser, perDatabase } = this.#limits();
    if (who && isReached(perUser, this.#users, who.user))
      throw new ProxyError('PGC_USER_CONNECTIONS', { user: who.user });
    if (who && isReached(perDatabase, this.#databases, who.database))
      throw new ProxyError('PGC_DATABASE_CONNECTIONS', { database: who.database });
    this.#count(who, 1);
    return () => this.#count(who, -1);
  }

  /** Fulfilled when nobody is admitted any more: at once where nobody is. */
  async emptied(): Promise<void> {
    if (this.#size === 0) return;
    await new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
  }

  #count(who: Admitted | undefined, one: 1 | -1): void {
    this.#size += one;
    if (who) {
      add(this.#users, who.user, one);
      add(this.#databases, who.database, one);
    }
    if (this.#size === 0) this.#empty?.();
  }
}

function isReached(limit: number | null, counts: ReadonlyMap<string, number>, name: string): boolean {
  return limit !== null && (counts.get(name) ?? 0) >= limit;
}

/** Names that nobody has any more go: clients choose them. */
function add(counts: Map<string, number>, name: string, one: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + one;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
}
