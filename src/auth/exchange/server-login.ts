/** Logs a client in to the server with what the proxy knows, as libpq would (fe-auth.c): the server asks, the proxy answers. */
import { createHash, randomBytes } from 'node:crypto';
import type { ServerAuth } from '../../config/values/server-auth.js';
import { ProxyError } from '../../errors.js';
import { LoginDemands } from '../../upstream/login-demands.js';
import {
  Authentication,
  passwordMessage,
  readAuthentication,
  readMechanisms,
  saslInitialResponse,
  saslResponse,
} from '../../wire/sasl.js';
import { MalformedScram } from '../scram/attributes.js';
import { endPointHash } from '../scram/end-point.js';
import { areEqual, deriveKeys, type ScramKeys } from '../scram/keys.js';
import { PLUS } from '../scram/mechanisms.js';
import { preparePassword } from '../scram/password.js';
import {
  type AnsweredChallenge,
  answerChallenge,
  type Begun,
  begin,
  type Challenged,
  isProven,
  readChallenge,
  type ServerBinding,
} from '../scram/prover.js';
import type { ScramSecret } from '../scram/secret.js';
import { NONCE_BYTES } from './client-login.js';
import type { ServerTransport } from './server-transport.js';

/** What the proxy logs in with. */
export type Credential =
  | { readonly kind: 'password'; readonly password: string }
  /** The key is the client's own. It fits where the server has this very secret, and is overwritten when it was used. */
  | { readonly kind: 'keys'; readonly secret: ScramSecret; readonly clientKey: Buffer }
  | { readonly kind: 'none' };

export interface ServerLoginOptions {
  readonly user: string;
  /** The server's name, for messages. */
  readonly upstream: string;
  readonly credential: Credential;
  readonly transport: ServerTransport;
  /** What the login has to be, whatever the server asks for. */
  readonly auth?: ServerAuth | undefined;
}

/** Overwrites the client's key. */
export function forgetKeys(credential: Credential): void {
  if (credential.kind === 'keys') credential.clientKey.fill(0);
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'begun'; readonly begun: Begun }
  | { readonly kind: 'answered'; readonly answered: AnsweredChallenge }
  | { readonly kind: 'proven' };

const COPY_AGAIN = 'Copy rolpassword of pg_authid to auth.users again, or give the password there.';
const GIVE_PASSWORD =
  'Give the password of the user in auth.users, or let pg_hba.conf ask for scram-sha-256.';
/** What to do where the server asks for what `require_auth` or `channel_binding` does not allow. */
export const NOT_DEMANDED =
  'Have pg_hba.conf ask as require_auth and channel_binding in the URL of upstream say, or change these.';

export class ServerLogin {
  readonly #options: ServerLoginOptions;
  readonly #demands: LoginDemands;
  #state: State = { kind: 'idle' };

  constructor(options: ServerLoginOptions) {
    this.#options = options;
    this.#demands = new LoginDemands(options.auth);
  }

  /**
   * @param message an Authentication message of the server's
   * @returns what the server gets; undefined for an AuthenticationOk, with which the login is over
   * @throws ProxyError where the server asks for what there is no answer to, or does not prove that it knows the secret
   */
  async answer(message: Buffer): Promise<Buffer | undefined> {
    const { code, data } = readAuthentication(message);
    const objection = this.#demands.objection(message);
    if (objection !== undefined) throw this.#refused(objection, NOT_DEMANDED);
    const state = this.#state;
    try {
      switch (code) {
        case Authentication.Ok:
          if (state.kind === 'begun' || state.kind === 'answered') throw this.#unproven();
          return undefined;
        case Authentication.CleartextPassword:
          return this.#cleartext();
        case Authentication.MD5Password:
          return this.#md5(data);
        case Authentication.SASL:
          return this.#begin(readMechanisms(data));
        case Authentication.SASLContinue:
          if (state.kind !== 'begun') throw this.#unproven();
          return await this.#prove(readChallenge(state.begun, data.toString('latin1')));
        case Authentication.SASLFinal:
          if (state.kind !== 'answered' || !isProven(state.answered, data.toString('latin1')))
            throw this.#unproven();
          this.#state = { kind: 'proven' };
          return Buffer.alloc(0);
        default:
          throw this.#refused(`it asks for authentication method ${code}, which is not supported`);
      }
    } catch (error) {
      if (!(error instanceof MalformedScram)) throw error;
      throw this.#refused(`it sent a malformed SCRAM message: ${error.message}`);
    }
  }

  /** What the client is told in place of the server's refusal of the password, which is not the client's. */
  rejected(): ProxyError {
    return this.#options.credential.kind === 'password'
      ? this.#refused('it does not take the password of auth.users', 'Give the password anew in auth.users.')
      : this.#otherSecret();
  }

  #begin(offered: readonly string[]): Buffer {
    if (this.#state.kind !== 'idle') throw this.#refused('it asked for SASL twice');
    if (this.#options.credential.kind === 'none') throw this.#passwordMissing();
    const binding = this.#binding(offered);
    const begun = begin(binding, randomBytes(NONCE_BYTES).toString('base64'));
    if (!offered.includes(begun.mechanism))
      throw this.#refused(`it offers none of the mechanisms that are supported, but ${offered.join(', ')}`);
    this.#state = { kind: 'begun', begun };
    return saslInitialResponse(begun.mechanism, `${begun.header}${begun.clientFirstBare}`);
  }

  #binding(offered: readonly string[]): ServerBinding {
    const { transport, auth } = this.#options;
    if (auth?.channel_binding === 'disable') return { kind: 'impossible' };
    const certificate = transport.kind === 'tls' ? transport.certificate() : undefined;
    const hash = certificate && endPointHash(certificate);
    if (!hash && auth?.channel_binding === 'require')
      throw this.#refused('channel binding required, but SSL not in use', NOT_DEMANDED);
    if (!hash) return { kind: 'impossible' };
    return offered.includes(PLUS) ? { kind: 'endPoint', hash } : { kind: 'unoffered' };
  }

  async #prove(challenged: Challenged): Promise<Buffer> {
    const answered = answerChallenge(challenged, await this.#keys(challenged));
    forgetKeys(this.#options.credential);
    this.#state = { kind: 'answered', answered };
    return saslResponse(answered.clientFinal);
  }

  async #keys({ salt, iterations }: Challenged): Promise<ScramKeys> {
    const { credential } = this.#options;
    switch (credential.kind) {
      case 'password':
        return deriveKeys(preparePassword(credential.password), salt, iterations);
      case 'keys':
        if (iterations !== credential.secret.iterations || !areEqual(salt, credential.secret.salt))
          throw this.#otherSecret();
        return { clientKey: credential.clientKey, serverKey: credential.secret.serverKey };
      case 'none':
        throw this.#passwordMissing();
      default:
        return credential satisfies never;
    }
  }

  /** Nobody but the server may read it. */
  #cleartext(): Buffer {
    const password = this.#password('a password in clear text');
    if (this.#options.transport.kind === 'clear')
      throw this.#refused(
        'it asks for a password in clear text on a connection that is not encrypted',
        'Take an sslmode that encrypts in the URL of upstream, or let pg_hba.conf ask for scram-sha-256.',
      );
    return passwordMessage(password);
  }

  /** `md5`, and the hash of the salt after the hash of password and user (pg_md5_encrypt). */
  #md5(salt: Buffer): Buffer {
    const password = this.#password('an MD5 password');
    const secret = md5(Buffer.from(password + this.#options.user));
    return passwordMessage(`md5${md5(Buffer.concat([Buffer.from(secret), salt.subarray(0, 4)]))}`);
  }

  #password(asked: string): string {
    const { credential } = this.#options;
    if (credential.kind === 'password') return credential.password;
    if (credential.kind === 'none') throw this.#passwordMissing();
    throw this.#refused(`it asks for ${asked}, and auth.users has a SCRAM secret only`, GIVE_PASSWORD);
  }

  #passwordMissing(): ProxyError {
    return this.#refused('it asks for a password, and auth.users has none for this user', GIVE_PASSWORD);
  }

  #otherSecret(): ProxyError {
    return this.#refused('its SCRAM secret of this user is another than that of auth.users', COPY_AGAIN);
  }

  #unproven(): ProxyError {
    return this.#refused('it did not prove that it knows the secret of this user itself');
  }

  #refused(reason: string, remedy = 'Check that upstream names the right server.'): ProxyError {
    const { upstream, user } = this.#options;
    return new ProxyError('PGC_UPSTREAM_LOGIN', { upstream, user, reason, remedy });
  }
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}
