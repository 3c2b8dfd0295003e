/** Holds a server to what the URL says of logins, question by question: require_auth and channel_binding (check_expected_areq in fe-auth.c). */
import type { AuthMethod, RequiredAuth, ServerAuth } from '../config/values/server-auth.js';
import { Authentication, readAuthentication, readMechanisms } from '../wire/sasl.js';

/** The method that a question belongs to, and what libpq says of one that may not be asked. Those of SASL say more by their mechanism. */
const ASKED: Readonly<Record<number, { readonly method: AuthMethod; readonly told: string }>> = {
  [Authentication.CleartextPassword]: { method: 'password', told: 'server requested a cleartext password' },
  [Authentication.MD5Password]: { method: 'md5', told: 'server requested a hashed password' },
  [Authentication.GSS]: { method: 'gss', told: 'server requested GSSAPI authentication' },
  [Authentication.SSPI]: { method: 'sspi', told: 'server requested SSPI authentication' },
};
const SASL_METHODS: Readonly<Record<string, AuthMethod>> = {
  'SCRAM-SHA-256': 'scram-sha-256',
  'SCRAM-SHA-256-PLUS': 'scram-sha-256',
  OAUTHBEARER: 'oauth',
};
const BOUND = 'SCRAM-SHA-256-PLUS';

export class LoginDemands {
  readonly #auth: ServerAuth | undefined;
  /** Whether the server has asked for something, and as much has come as has to. */
  #isOver = false;

  /** @param auth of the URL; undefined: there are none */
  constructor(auth: ServerAuth | undefined) {
    this.#auth = auth;
  }

  /** Whether a mechanism that the server offers may be used. */
  takes(mechanism: string): boolean {
    const required = this.#auth?.require_auth;
    if (!required) return true;
    const method = SASL_METHODS[mechanism];
    return method ? required.allowed.includes(method) : required.isNegated;
  }

  /**
   * To be asked of each Authentication message, before anybody answers it.
   * @param message as a whole
   * @returns why the login has to end here, in libpq's words; undefined: it may go on
   * @throws ProtocolViolation for a message without a code
   */
  objection(message: Buffer): string | undefined {
    const { code, data } = readAuthentication(message);
    return this.objectionTo(code, code === Authentication.SASL ? readMechanisms(data) : []);
  }

  /**
   * As {@link objection}.
   * @param code of the message
   * @param offered the mechanisms of an AuthenticationSASL
   */
  objectionTo(code: number, offered: readonly string[]): string | undefined {
    if (!this.#auth) return undefined;
    const { require_auth, channel_binding } = this.#auth;
    const wrong = require_auth && this.#unwanted(require_auth, code, offered);
    if (wrong) return `authentication method requirement "${require_auth.text}" failed: ${wrong}`;
    const unbound = channel_binding === 'require' ? this.#unbound(code, offered) : undefined;
    // OAUTHBEARER ends without a last word of the server's.
    if (code in ASKED || code === Authentication.SASLFinal || offered.includes('OAUTHBEARER'))
      this.#isOver = true;
    return unbound;
  }

  #unwanted(
    { allowed, mayAskNothing }: RequiredAuth,
    code: number,
    offered: readonly string[],
  ): string | undefined {
    switch (code) {
      case Authentication.Ok:
        return mayAskNothing || this.#isOver ? undefined : 'server did not complete authentication';
      case Authentication.SASL:
        return offered.some((name) => this.takes(name)) ? undefined : 'server requested SASL authentication';
      // They belong to a question that was allowed.
      case Authentication.GSSContinue:
      case Authentication.SASLContinue:
      case Authentication.SASLFinal:
        return undefined;
      default: {
        const asked = ASKED[code];
        if (!asked) return 'server requested an unknown authentication type';
        return allowed.includes(asked.method) ? undefined : asked.told;
      }
    }
  }

  #unbound(code: number, offered: readonly string[]): string | undefined {
    switch (code) {
      case Authentication.Ok:
        return this.#isOver
          ? undefined
          : 'channel binding required, but server authenticated client without channel binding';
      case Authentication.SASL:
        return offered.includes(BOUND)
          ? undefined
          : 'channel binding is required, but server did not offer an authentication method that supports channel binding';
      case Authentication.SASLContinue:
      case Authentication.SASLFinal:
        return undefined;
      default:
        return "channel binding required but not supported by server's authentication request";
    }
  }
}
