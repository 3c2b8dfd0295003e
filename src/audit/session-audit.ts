/** What the record of cascades learns of a session. */
import type { Relation } from '../graph/model.js';
import type { Cascade, TableRows, Update } from '../observe/session-events.js';
import { SilentEvents } from '../observe/silent-events.js';
import type { Plan } from '../plan/plan.js';
import type { Audit, Author } from './audit.js';

export class SessionAudit extends SilentEvents {
  readonly #audit: Audit;
  readonly #author: Author;

  constructor(audit: Audit, author: Author) {
    super();
    this.#audit = audit;
    this.#author = author;
  }

  override cascaded(
    { plan, fingerprint }: Cascade,
    milliseconds: number,
    rows: readonly TableRows[] | undefined,
  ): void {
    this.#audit.record(this.#author, rootsOf(plan), fingerprint, { outcome: 'done', milliseconds, rows });
  }

  override followed({ table, fingerprint }: Update, milliseconds: number, rows: readonly TableRows[]): void {
    this.#audit.record(this.#author, [table], fingerprint, { outcome: 'done', milliseconds, rows });
  }

  override followFailed({ table, fingerprint }: Update, sqlstate: string): void {
    this.#audit.record(this.#author, [table], fingerprint, { outcome: 'failed', sqlstate });
  }

  override cascadeFailed(
    { plan, fingerprint }: Cascade,
    sqlstate: string,
    rows?: readonly TableRows[],
  ): void {
    this.#audit.record(this.#author, rootsOf(plan), fingerprint, { outcome: 'failed', sqlstate, rows });
  }
}

/** The tables that the client's own statement deletes from. */
function rootsOf({ deletions }: Plan): readonly Relation[] {
  return deletions.filter(({ origin }) => origin === 'client').map(({ relation }) => relation);
}
