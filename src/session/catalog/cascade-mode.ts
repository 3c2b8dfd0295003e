/** What a session's own settings say to the proxy, as far as the server was asked. */
import { ProxyError } from '../../errors.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';
import { GUARD_LEVELS, type GuardLevel } from '../../plan/guard.js';

export class CascadeMode {
  #known: Pick<SessionFacts, 'mode' | 'guard' | 'replica'> | undefined;

  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  /** Whether cascades are on, and both settings have values that mean something: nothing is asked then, nor refused for them. */
  get isSettled(): boolean {
    const mode = this.#known?.mode ?? '';
    const isOn = this.isKnown && (mode === '' || mode === 'on') && this.#known?.replica !== true;
    return isOn && !this.#hasOtherGuard;
  }

  /** The server was asked, and has answered. */
  learn({ mode, guard, replica }: SessionFacts): void {
    this.#known = { mode, guard, replica };
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
    if (this.#hasOtherGuard) throw new ProxyError('PGC_GUARD_VALUE', { value: this.#known?.guard ?? '' });
    return this.#level;
  }

  get #level(): GuardLevel | undefined {
    return GUARD_LEVELS.find((each) => each === this.#known?.guard);
  }

  get #hasOtherGuard(): boolean {
    return (this.#known?.guard ?? '') !== '' && this.#level === undefined;
  }
}
