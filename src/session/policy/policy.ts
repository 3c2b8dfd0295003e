/** What the configuration says about statements. It may be read again while sessions are open. */
import type { GraphCache } from '../../graph/cache.js';
import type { KeySettings } from '../../graph/catalog/key-settings.js';
import type { GuardLevel } from '../../plan/guard.js';
import type { RewriteContext } from '../../rewrite/statement/context.js';
import type { TriggerPolicy } from '../../rewrite/statement/trigger-policy.js';

/** One reading of the configuration. A later reading is another object where anything has changed. */
export interface Policy {
  readonly keySettings: KeySettings;
  /** The graphs that were made with these settings. */
  readonly graphs: GraphCache;
  /** False where cascades are switched off: then every database is one in which the proxy has nothing to do. */
  readonly active: boolean;
  /** Refuse what may delete and is not understood; else pass it on, and log it. */
  readonly reject: boolean;
  /** Refuse DO and CALL. */
  readonly refusesCode: boolean;
  /** What becomes of statements that fire triggers which delete. */
  readonly triggers: TriggerPolicy;
  /** What becomes of new keys, where the session itself says nothing. */
  readonly guard: GuardLevel;
  /** Look at the keys of copied rows after a COPY, where new keys are checked; else refuse it. */
  readonly verifiesCopies: boolean;
  /** What is locked before a DELETE whose keys the server does not enforce. */
  readonly locks: RewriteContext['locks'];
  /** How a cascade is carried out; `auto` as suits the server. */
  readonly strategy: 'auto' | 'single' | 'ordered';
  /** How many rows a transaction of a cascade may take, where the session itself says nothing; 0 for any number. */
  readonly batchRows: number;
  /** What becomes of a cascade that reaches a limit of the server's, where the session itself says nothing. */
  readonly onLimit: RewriteContext['onLimit'];
  /** A cascade without a transaction around it is refused. */
  readonly atomic: boolean;
}

/**
 * The policy that one session goes by. All parts of the session share this object, so that all go by the same one. It changes only between
 * two transactions (src/session/policy-change.ts).
 */
export class SessionPolicy {
  readonly #newest: () => Policy;
  #current: Policy;

  /** @param newest gives the policy that holds for new sessions */
  constructor(newest: () => Policy) {
    this.#newest = newest;
    this.#current = newest();
  }

  get current(): Policy {
    return this.#current;
  }

  /** Those of the current policy. */
  get graphs(): GraphCache {
    return this.#current.graphs;
  }

  get isOutdated(): boolean {
    return this.#current !== this.#newest();
  }

  /** The session goes by the newest policy from now on. */
  renew(): void {
    this.#current = this.#newest();
  }
}
