import type { Duplex } from 'node:stream';
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
  readonly #copies: Credential[] = [];
  readonly #logins = new WeakMap<Duplex, ServerLogin>();

  constructor(user: string, credential: Credential) {
    this.#user = user;
    this.#credential = credential;
  }

  /** One that has begun goes on. */
  of({ server, name, transport }: Reached): ServerLogin {
    const begun = this.#logins.get(server);
    if (begun) return begun;
    const credential = copyOf(this.#credential);
    this.#copies.push(credential);
    const login = new ServerLogin({ user: this.#user, upstream: name, credential, transport });
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
