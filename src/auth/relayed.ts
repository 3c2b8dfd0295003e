/**
 * A login that the server and the client make out between themselves: the server asks, the client answers, and each hears what
 * the other says (protocol-flow.html#PROTOCOL-FLOW-START-UP). All methods pass but those that are bound to the connection.
 */
import { RelayedDemands } from './exchange/relayed-demands.js';
import type { LoggedIn, Login, LoginPeers, Startup } from './login.js';
import { Relay } from './relay.js';

export class RelayedLogin implements Login {
  readonly #messageBytes: number;

  /** @param messageBytes the longest message taken of a client, in bytes */
  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  async run(peers: LoginPeers, startup: Startup): Promise<LoggedIn | undefined> {
    const { client, upstream } = peers;
    // Who the client is, only the server finds out: it is taken at its word.
    peers.admit();
    const { server } = await upstream.start(startup.raw);
    // The client may be gone by now, or may have been told why it is not served. (One that has only closed its own side for
    // writing is served.)
    if (client.destroyed || client.writableEnded) {
      server.destroy();
      return undefined;
    }
    const names = { upstream: upstream.name, user: startup.parameters.get('user') ?? '' };
    const demands = new RelayedDemands(upstream.auth, names);
    return new Relay(peers, server, { messageBytes: this.#messageBytes, demands }).run();
  }
}
