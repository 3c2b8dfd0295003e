import type { Duplex } from 'node:stream';
import type { ServerAuth } from '../../config/values/server-auth.js';
import { type Credential, forgetKeys, ServerLogin } from './server-login.js';
import type { ServerTransport } from './server-transport.js';

/** A server that has got the startup packet. */
interface Reached {
  readonly server: Duplex;
  /** For messages. */
  readonly name: string;
  readonly transport: ServerTransport;
}

/** The logins to the servers that are tried for one client. Each uses a key of its own up. */
export class ServerLogins {
  readonly #user: string;
  readonly #credential: Credential;
  readonly #auth: ServerAuth | undefined;
  readonly #copies: Credential[] = [];
  readonly #logins = new WeakMap<Duplex, ServerLogin>();

  /** @param auth what each login has to be */
  constructor(user: string, credential: Credential, auth: ServerAuth | undefined) {
    this.#user = user;
    this.#auth = auth;
    this.#credential = credential;
  }

  /** One that has begun goes on. */
  of({ server, name, transport }: Reached): ServerLogin {
    const begun = this.#logins.get(server);
    if (begun) return begun;
    const credential = copyOf(this.#credential);
    this.#copies.push(credential);
    const [user, auth] = [this.#user, this.#auth];
    const login = new ServerLogin({ user, upstream: name, credential, transport, auth });
    this.#logins.set(server, login);
    return login;
  }

  forgetKeys(): void {
    for (const credential of [this.#credential, ...this.#copies]) forgetKeys(credential);
  }
}

function copyOf(credential: Credential): Credential {
  return credential.kind === 'keys'
    ? { ...credential, clientKey: Buffer.from(credential.clientKey) }
    : credential;
}
