/** What the record of cascades learns of a session. */
import type { Cascade, TableRows } from '../observe/session-events.js';
import { SilentEvents } from '../observe/silent-events.js';
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
    this.#audit.record(this.#author, plan, fingerprint, { outcome: 'done', milliseconds, rows });
  }

  override cascadeFailed({ plan, fingerprint }: Cascade, sqlstate: string): void {
    this.#audit.record(this.#author, plan, fingerprint, { outcome: 'failed', sqlstate });
  }
}
