/** What the URL demands of a login that the client itself makes out: the server's questions are judged before the client hears of them. */
import type { ServerAuth } from '../../config/values/server-auth.js';
import { ProxyError } from '../../errors.js';
import { LoginDemands } from '../../upstream/login-demands.js';
import { NOT_DEMANDED } from './server-login.js';

export class RelayedDemands {
  readonly #demands: LoginDemands;
  readonly #names: { readonly upstream: string; readonly user: string };

  /**
   * @param auth of the URL; undefined: there are none
   * @param names for messages
   */
  constructor(auth: ServerAuth | undefined, names: { readonly upstream: string; readonly user: string }) {
    this.#demands = new LoginDemands(auth);
    this.#names = names;
  }

  /** Whether the client may be offered a mechanism. */
  readonly takes = (mechanism: string): boolean => this.#demands.takes(mechanism);

  /**
   * @param question an Authentication message of the server's
   * @returns what the client is told in its place; undefined: it goes on to the client
   */
  refusal(question: Buffer): ProxyError | undefined {
    const reason = this.#demands.objection(question);
    if (reason === undefined) return undefined;
    return new ProxyError('PGC_UPSTREAM_LOGIN', { ...this.#names, reason, remedy: NOT_DEMANDED });
  }
}
