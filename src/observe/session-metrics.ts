/** What the metrics learn of a session. */
import { ERRORS, ProxyError } from '../errors.js';
import type { Plan } from '../plan/plan.js';
import type { Metrics } from './metrics.js';
import type { Cascade, TableRows, Update } from './session-events.js';
import { SilentEvents } from './silent-events.js';

export class SessionMetrics extends SilentEvents {
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    super();
    this.#metrics = metrics;
  }

  override connected(): void {
    this.#metrics.connected();
  }

  override notLoggedIn(why: ProxyError | 'server' | 'client'): void {
    this.#metrics.loginFailed(why instanceof ProxyError ? why.errorName : why);
  }

  override executed(): void {
    this.#metrics.executed();
  }

  override planned(_: readonly Plan[], milliseconds: number): void {
    this.#metrics.planned(milliseconds / 1000);
  }

  override cascaded(_: Cascade, milliseconds: number, rows: readonly TableRows[] = []): void {
    this.#metrics.cascaded(milliseconds / 1000);
    this.#count(rows);
  }

  override cascadeFailed(_: Cascade, __: string, rows: readonly TableRows[] = []): void {
    this.#count(rows);
  }

  override followed(_: Update, __: number, rows: readonly TableRows[]): void {
    this.#count(rows);
  }

  override retried(why: string): void {
    this.#metrics.retried(why);
  }

  override refused({ errorName }: ProxyError): void {
    // What stands for an error of the server's is none of the proxy's.
    if ('native' in ERRORS[errorName]) this.#metrics.failedByServer(ERRORS[errorName].sqlstate);
    else this.#metrics.refused(errorName);
  }

  override failedByServer(sqlstate: string): void {
    this.#metrics.failedByServer(sqlstate);
  }

  override passed({ errorName }: ProxyError): void {
    this.#metrics.passedUnexpanded(errorName);
  }

  override catalogRead(milliseconds: number): void {
    this.#metrics.catalogRead(milliseconds / 1000);
  }

  override idleInTransaction(): void {
    this.#metrics.idleInTransaction();
  }

  override ended({ errorName }: ProxyError): void {
    this.#metrics.ended(errorName);
  }

  override failed(): void {
    this.#metrics.defect();
  }

  #count(rows: readonly TableRows[]): void {
    for (const { relation, action, rows: count } of rows)
      this.#metrics.rowsTaken(`${relation.schema}.${relation.name}`, action, count);
  }
}
