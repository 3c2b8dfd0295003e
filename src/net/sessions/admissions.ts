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

/** A client that is counted. */
export class Admission {
  readonly #admissions: Admissions;
  #counted: Admitted | undefined;
  #isReleased = false;

  constructor(admissions: Admissions) {
    this.#admissions = admissions;
  }

  /**
   * Counts the client as one of its user's and its database's, so that many at once do not exceed a limit. It is called once, and
   * does nothing for a client that is released, or that gets no session, whoever it is.
   * @throws ProxyError where there are as many as may be, in PostgreSQL's order (InitPostgres): the user, the database
   */
  takeAs(who: Admitted | undefined): void {
    if (this.#isReleased || !who) return;
    this.#admissions.count(who);
    this.#counted = who;
  }

  /** It is called once. */
  release(): void {
    this.#isReleased = true;
    this.#admissions.release(this.#counted);
  }
}

/** A client counts from its startup packet on, and until it is released. */
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

  /** @throws ProxyError where there are as many clients as may be in all */
  admit(): Admission {
    if (this.isFull) throw new ProxyError('PGC_CONNECTIONS');
    this.#size++;
    return new Admission(this);
  }

  /** For an Admission. @throws as its takeAs */
  count(who: Admitted): void {
    this.#refuseMore(who);
    this.#count(who, 1);
  }

  /** For an Admission. @param counted who it was counted as */
  release(counted: Admitted | undefined): void {
    if (counted) this.#count(counted, -1);
    this.#size--;
    if (this.#size === 0) this.#empty?.();
  }

  /** Fulfilled when nobody is admitted any more: at once where nobody is. */
  async emptied(): Promise<void> {
    if (this.#size === 0) return;
    await new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
  }

  #refuseMore({ user, database }: Admitted): void {
    const { perUser, perDatabase } = this.#limits();
    if (isReached(perUser, this.#users, user)) throw new ProxyError('PGC_USER_CONNECTIONS', { user });
    if (isReached(perDatabase, this.#databases, database))
      throw new ProxyError('PGC_DATABASE_CONNECTIONS', { database });
  }

  #count({ user, database }: Admitted, one: 1 | -1): void {
    add(this.#users, user, one);
    add(this.#databases, database, one);
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
