/** What a session's open transaction may have changed: its end undoes that, or shows it to the other sessions. */
import { bringsWork, type Look, type SessionEffect, strongest } from '../../sql/lexer/look.js';
import type { SessionPolicy } from '../policy/policy.js';
import { SERVER_DOES_ALL } from './catalog-reader.js';

interface TransactionChangesOptions {
  readonly database: string;
  readonly policy: SessionPolicy;
}

export class TransactionChanges {
  readonly #options: TransactionChangesOptions;
  #strongest: SessionEffect = 'none';
  /** It had DDL that brings the proxy no key to act on, as far as was known: another session may add one before it ends. */
  #hasMinorDdl = false;

  constructor(options: TransactionChangesOptions) {
    this.#options = options;
  }

  /**
   * A text is being sent. Where the server does all that is declared, most DDL leaves nothing to the proxy either: it only
   * changes what names mean.
   * @returns what the text may do to the session
   */
  effectOf(look: Look): SessionEffect {
    const isMinor = look.effect === 'schema' && !bringsWork(look) && this.#serverDoesAll;
    this.#hasMinorDdl ||= isMinor;
    return isMinor ? 'settings' : look.effect;
  }

  /** Something with this effect is being sent, or was. */
  add(effect: SessionEffect): void {
    this.#strongest = strongest(this.#strongest, effect);
  }

  get isAny(): boolean {
    return this.#strongest !== 'none';
  }

  /** Whether its end changes what names mean: temporary tables alone do not count, as a name that hides a relation is asked for each time. */
  get hasSet(): boolean {
    return this.#strongest === 'settings' || this.#strongest === 'schema';
  }

  /** Whether it may have changed the schema. */
  get hasSchema(): boolean {
    return this.#strongest === 'schema' || (this.#hasMinorDdl && !this.#serverDoesAll);
  }

  /** Whether other sessions may see another schema after its end. */
  get mayShow(): boolean {
    return this.hasSchema || this.#hasMinorDdl;
  }

  /** The transaction is over: other sessions see what it has changed. */
  show(): void {
    const { database, policy } = this.#options;
    if (this.hasSchema) policy.graphs.invalidate(database);
    else if (this.#hasMinorDdl) policy.graphs.outdate(database);
  }

  /** No transaction is open. */
  clear(): void {
    this.#strongest = 'none';
    this.#hasMinorDdl = false;
  }

  get #serverDoesAll(): boolean {
    const { database, policy } = this.#options;
    return policy.graphs.lastFingerprint(database) === SERVER_DOES_ALL;
  }
}
