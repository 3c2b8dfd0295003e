/** Whether cascading is on in a session, as far as the server was asked. */
import { ProxyError } from '../../errors.js';
import type { SessionFacts } from '../../graph/catalog/answer.js';

export class CascadeMode {
  #known: Pick<SessionFacts, 'mode' | 'replica'> | undefined;

  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  /** The server was asked, and has answered. */
  learn({ mode, replica }: SessionFacts): void {
    this.#known = { mode, replica };
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
}
