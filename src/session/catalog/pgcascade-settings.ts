/** The settings pgcascade.* of one session, as far as the server was asked for them. */
import { MOST_BATCH_ROWS } from '../../errors/batch-errors.js';
import { ProxyError } from '../../errors.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';
import { GUARD_LEVELS, type GuardLevel } from '../../plan/guard.js';
import { LIMIT_MODES, type LimitMode } from '../../render/paged/limit-mode.js';
import { LOCK_MODES, type LockMode } from '../../render/single/locks.js';

export class PgcascadeSettings {
  #known: Pick<SessionFacts, 'mode' | 'guard' | 'locks' | 'batchRows' | 'onLimit' | 'replica'> | undefined;

  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  /** Whether cascades are on, and all settings have values that mean something: nothing is asked then, nor refused for them. */
  get isSettled(): boolean {
    const mode = this.#known?.mode ?? '';
    const isOn = this.isKnown && (mode === '' || mode === 'on') && this.#known?.replica !== true;
    const { guard, locks, batchRows, onLimit } = this.#known ?? {};
    const isGuarded = isOneOf(GUARD_LEVELS, guard) && isOneOf(LOCK_MODES, locks);
    return isOn && isGuarded && isNumberOfRows(batchRows) && isOneOf(LIMIT_MODES, onLimit);
  }

  /** The server was asked, and has answered. */
  learn({ mode, guard, locks, batchRows, onLimit, replica }: SessionFacts): void {
    this.#known = { mode, guard, locks, batchRows, onLimit, replica };
  }

  forget(): void {
    this.#known = undefined;
  }

  /**
   * False where the session or its role switched cascades off. A function may switch them on again, unseen: while they are off
   * the server is asked each time.
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  isActive(): boolean {
    const mode = this.#known?.mode ?? '';
    if (mode !== '' && mode !== 'on' && mode !== 'off') throw new ProxyError('PGC_MODE', { value: mode });
    const isActive = mode !== 'off' && this.#known?.replica !== true;
    if (!isActive) this.forget();
    return isActive;
  }

  /**
   * What the session says of new keys; undefined where it says nothing.
   * @throws ProxyError PGC_GUARD_VALUE for a value that is none
   */
  get guard(): GuardLevel | undefined {
    const value = this.#known?.guard;
    if (!isOneOf(GUARD_LEVELS, value)) throw new ProxyError('PGC_GUARD_VALUE', { value });
    return value || undefined;
  }

  /**
   * What the session says of locks before a DELETE; undefined where it says nothing.
   * @throws ProxyError PGC_LOCKS_VALUE for a value that is none
   */
  get locks(): LockMode | undefined {
    const value = this.#known?.locks;
    if (!isOneOf(LOCK_MODES, value)) throw new ProxyError('PGC_LOCKS_VALUE', { value });
    return value || undefined;
  }

  /**
   * How many rows the session allows a transaction of a cascade; 0 for any number, undefined where it says nothing.
   * @throws ProxyError PGC_BATCH_VALUE for a value that is none
   */
  get batchRows(): number | undefined {
    const value = this.#known?.batchRows;
    if (!isNumberOfRows(value)) throw new ProxyError('PGC_BATCH_VALUE', { value: value ?? '' });
    return value ? Number(value === 'off' ? 0 : value) : undefined;
  }

  /**
   * What the session says of a cascade that reaches a limit of the server's; undefined where it says nothing.
   * @throws ProxyError PGC_LIMIT_VALUE for a value that is none
   */
  get onLimit(): LimitMode | undefined {
    const value = this.#known?.onLimit;
    if (!isOneOf(LIMIT_MODES, value)) throw new ProxyError('PGC_LIMIT_VALUE', { value });
    return value || undefined;
  }
}

/** Whether a value of pgcascade.batch_rows means something: `off`, a number, or nothing. */
function isNumberOfRows(value: string | null | undefined): boolean {
  return !value || value === 'off' || (/^\d{1,7}$/.test(value) && Number(value) <= MOST_BATCH_ROWS);
}

/** Whether a setting has one of these values, or none: it is empty where it was set and reset. */
function isOneOf<Value extends string>(
  values: readonly Value[],
  value: string | null | undefined,
): value is Value | '' | null | undefined {
  return !value || values.some((each) => each === value);
}
