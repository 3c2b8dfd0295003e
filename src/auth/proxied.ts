/** A login that the proxy makes out itself: with the client by SCRAM, and then with the server, by what it knows of the user. */
import { ProxyError } from '../errors.js';
import { sayFarewell } from '../session/server/farewell.js';
import { negotiate } from '../wire/protocol-version.js';
import { ClientDialogue } from './client-dialogue.js';
import { type VerifiedPassword, verifyPassword } from './client-login.js';
import type { ClientTransport } from './client-transport.js';
import type { LoggedIn, Login, LoginPeers, Startup } from './login.js';
import { Relay } from './relay.js';
import { endPointHash } from './scram/end-point.js';
import { type Credential, ServerLogin } from './server-login.js';
import type { User, Users } from './users/users.js';

export interface ProxiedLoginOptions {
  /** The longest message taken of a client, in bytes. */
  readonly messageBytes: number;
  /** Those that may log in now. */
  readonly users: () => Users;
}

export class ProxiedLogin implements Login {
  readonly #options: ProxiedLoginOptions;

  constructor(options: ProxiedLoginOptions) {
    this.#options = options;
  }

  /**
   * No connection to the database is made for a client that has not proved who it is.
   * @throws ProxyError also where the client does not prove it
   */
  async run(peers: LoginPeers, startup: Startup): Promise<LoggedIn | undefined> {
    const { client, transport, upstream } = peers;
    const { messageBytes, users } = this.#options;
    const name = startup.parameters.get('user');
    if (!name) throw new ProxyError('PGC_NO_USER');
    const negotiated = negotiate(startup.raw);
    if (negotiated) client.write(negotiated.answer);
    const user = users().find(name);
    const dialogue = new ClientDialogue(client);
    let verified: VerifiedPassword | undefined;
    let fromClient: Buffer;
    try {
      verified = await verifyPassword(dialogue, name, user, endPointOf(transport));
    } finally {
      fromClient = dialogue.end();
    }
    if (!verified) {
      sayFarewell(client);
      return undefined;
    }
    client.write(verified.final);
    const credential = credentialOf(user, verified);
    const server = await upstream.connect().catch((error: unknown) => {
      verified.clientKey.fill(0);
      throw error;
    });
    if (client.destroyed || client.writableEnded) {
      verified.clientKey.fill(0);
      server.destroy();
      return undefined;
    }
    server.write(negotiated?.startup ?? startup.raw);
    const serverLogin = new ServerLogin({
      user: name,
      upstream: upstream.name,
      credential,
      transport: upstream.transport,
    });
    return new Relay(peers, server, { messageBytes, serverLogin, fromClient }).run();
  }
}

function endPointOf(transport: ClientTransport): Buffer | undefined {
  return transport.kind === 'tls' ? endPointHash(transport.ownCertificate) : undefined;
}

function credentialOf({ known }: User, { clientKey }: VerifiedPassword): Credential {
  if (known?.kind === 'scram') return { kind: 'keys', secret: known.secret, clientKey };
  clientKey.fill(0);
  return known ?? { kind: 'none' };
}
