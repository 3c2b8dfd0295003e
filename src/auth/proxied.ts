/** A login that the proxy makes out itself: first with the client, and then with the server, by what it knows of the user. */
import { ProxyError } from '../errors.js';
import { sayFarewell } from '../session/server/farewell.js';
import { negotiateVersion } from '../wire/protocol-version.js';
import { ProtocolViolation } from '../wire/reader.js';
import type { Credential } from './exchange/server-login.js';
import { ServerLogins } from './exchange/server-logins.js';
import { lookAtSession } from './exchange/session-look.js';
import type { LoggedIn, Login, LoginPeers, Startup } from './login.js';
import { Relay } from './relay.js';

/** A client that has proved who it is. */
export interface Verified {
  /** With which it is logged in to the server. */
  readonly credential: Credential;
  /** What it is told before the server's own messages. */
  readonly told: Buffer | undefined;
  /** What it has sent, and nobody has read. */
  readonly fromClient: Buffer;
}

/**
 * Makes sure that a client is the user that it says.
 * @returns undefined where the client does not go on
 * @throws ProxyError where it is not
 */
export type Verify = (
  peers: Pick<LoginPeers, 'client' | 'transport'>,
  user: string,
) => Promise<Verified | undefined>;

export interface ProxiedLoginOptions {
  /** The longest message taken of a client, in bytes. */
  readonly messageBytes: number;
  readonly verify: Verify;
}

export class ProxiedLogin implements Login {
  readonly #options: ProxiedLoginOptions;

  constructor(options: ProxiedLoginOptions) {
    this.#options = options;
  }

  /**
   * No connection to the database is made for a client that has not proved who it is.
   * @throws ProxyError also where the client does not prove it, or there are as many of its user as may be
   * @throws ProtocolViolation for a name that the server would take for another
   */
  async run(peers: LoginPeers, startup: Startup): Promise<LoggedIn | undefined> {
    const { client } = peers;
    const user = startup.parameters.get('user');
    if (!user) throw new ProxyError('PGC_NO_USER');
    if (!isWhole(user)) throw new ProtocolViolation('the user name is not UTF-8, or longer than 63 bytes');
    const negotiated = negotiateVersion(startup.raw);
    if (negotiated) client.write(negotiated.answer);
    const verified = await this.#options.verify(peers, user);
    if (!verified) {
      sayFarewell(client);
      return undefined;
    }
    peers.admit();
    if (verified.told) client.write(verified.told);
    return this.#enter(peers, user, negotiated?.startup ?? startup.raw, verified);
  }

  async #enter(
    peers: LoginPeers,
    user: string,
    startup: Buffer,
    { credential, fromClient }: Verified,
  ): Promise<LoggedIn | undefined> {
    const { client, upstream } = peers;
    const logins = new ServerLogins(user, credential, upstream.auth);
    try {
      const reached = await upstream.start(startup, (at, target) =>
        lookAtSession(at.server, logins.of(at), target),
      );
      const { server } = reached;
      if (client.destroyed || client.writableEnded) {
        server.destroy();
        return undefined;
      }
      const { messageBytes } = this.#options;
      return await new Relay(peers, server, {
        messageBytes,
        serverLogin: logins.of(reached),
        fromClient,
      }).run();
    } finally {
      logins.forgetKeys();
    }
  }
}

/** NAMEDATALEN - 1: the server cuts longer names. */
const LONGEST_NAME_BYTES = 63;

/**
 * Whether the server understands the same name. Bytes that are not UTF-8 are read as U+FFFD here, and of a longer name the server
 * takes the beginning: that would be another user than the one who has been verified.
 */
function isWhole(user: string): boolean {
  return !user.includes('\ufffd') && Buffer.byteLength(user) <= LONGEST_NAME_BYTES;
}
