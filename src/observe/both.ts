/** Two who listen to one session, of the log, the metrics and the record of cascades. */
import type { ProxyError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import type { Cascade, SessionEvents, TableRows, Update } from './session-events.js';

/** Tells both of them everything. */
export class Both implements SessionEvents {
  readonly #one: SessionEvents;
  readonly #other: SessionEvents;

  constructor(one: SessionEvents, other: SessionEvents) {
    this.#one = one;
    this.#other = other;
  }

  connected(): void {
    this.#one.connected();
    this.#other.connected();
  }

  notLoggedIn(why: ProxyError | 'server' | 'client'): void {
    this.#one.notLoggedIn(why);
    this.#other.notLoggedIn(why);
  }

  executed(): void {
    this.#one.executed();
    this.#other.executed();
  }

  planned(plans: readonly Plan[], milliseconds: number): void {
    this.#one.planned(plans, milliseconds);
    this.#other.planned(plans, milliseconds);
  }

  followed(update: Update, milliseconds: number, rows: readonly TableRows[]): void {
    this.#one.followed(update, milliseconds, rows);
    this.#other.followed(update, milliseconds, rows);
  }

  followFailed(update: Update, sqlstate: string): void {
    this.#one.followFailed(update, sqlstate);
    this.#other.followFailed(update, sqlstate);
  }

  cascaded(cascade: Cascade, milliseconds: number, rows: readonly TableRows[] | undefined): void {
    this.#one.cascaded(cascade, milliseconds, rows);
    this.#other.cascaded(cascade, milliseconds, rows);
  }

  cascadeFailed(...failure: Parameters<SessionEvents['cascadeFailed']>): void {
    this.#one.cascadeFailed(...failure);
    this.#other.cascadeFailed(...failure);
  }

  retried(why: string): void {
    this.#one.retried(why);
    this.#other.retried(why);
  }

  refused(error: ProxyError): void {
    this.#one.refused(error);
    this.#other.refused(error);
  }

  failedByServer(sqlstate: string): void {
    this.#one.failedByServer(sqlstate);
    this.#other.failedByServer(sqlstate);
  }

  passed(error: ProxyError): void {
    this.#one.passed(error);
    this.#other.passed(error);
  }

  catalogRead(milliseconds: number): void {
    this.#one.catalogRead(milliseconds);
    this.#other.catalogRead(milliseconds);
  }

  warned(problem: string): void {
    this.#one.warned(problem);
    this.#other.warned(problem);
  }

  failed(error: unknown): void {
    this.#one.failed(error);
    this.#other.failed(error);
  }

  idleInTransaction(milliseconds: number): void {
    this.#one.idleInTransaction(milliseconds);
    this.#other.idleInTransaction(milliseconds);
  }

  ended(error: ProxyError): void {
    this.#one.ended(error);
    this.#other.ended(error);
  }
}
