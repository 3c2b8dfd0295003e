/** What the metrics learn of a session. */
import { ERRORS, ProxyError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import type { Metrics } from './metrics.js';
import type { SessionEvents, TableRows } from './session-events.js';

export class SessionMetrics implements SessionEvents {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  connected(): void {
    this.#metrics.connected();
  }

  notLoggedIn(why: ProxyError | 'server' | 'client'): void {
    this.#metrics.loginFailed(why instanceof ProxyError ? why.errorName : why);
  }

  executed(): void {
    this.#metrics.executed();
  }

  planned(_: readonly Plan[], milliseconds: number): void {
    this.#metrics.planned(milliseconds / 1000);
  }

  cascaded(_: Plan, milliseconds: number, rows: readonly TableRows[] = []): void {
    this.#metrics.cascaded(milliseconds / 1000);
    for (const { relation, action, rows: count } of rows)
      this.#metrics.rowsTaken(`${relation.schema}.${relation.name}`, action, count);
  }

  retried(why: string): void {
    this.#metrics.retried(why);
  }

  refused({ errorName }: ProxyError): void {
    // What stands for an error of the server's is none of the proxy's.
    if ('native' in ERRORS[errorName]) this.#metrics.failedByServer(ERRORS[errorName].sqlstate);
    else this.#metrics.refused(errorName);
  }

  failedByServer(sqlstate: string): void {
    this.#metrics.failedByServer(sqlstate);
  }

  passed({ errorName }: ProxyError): void {
    this.#metrics.passedUnexpanded(errorName);
  }

  catalogRead(milliseconds: number): void {
    this.#metrics.catalogRead(milliseconds / 1000);
  }

  warned(): void {}

  failed(): void {
    this.#metrics.defect();
  }

  ended(): void {}
}
