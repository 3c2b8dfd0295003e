/** The clients that are connected, and what has gone between them and the proxy, as their sockets count it. */
import type { ClientConnection } from './client-connection.js';

export class OpenClients {
  readonly #open = new Set<ClientConnection>();
  /** Of the clients that are gone. */
  #fromClients = 0;
  #toClients = 0;

  /** Counts a client's bytes from now on. */
  add(client: ClientConnection): void {
    this.#open.add(client);
  }

  /** A client is gone. */
  delete(client: ClientConnection): void {
    this.#open.delete(client);
    this.#fromClients += client.bytesRead;
    this.#toClients += client.bytesWritten;
  }

  [Symbol.iterator](): Iterator<ClientConnection> {
    return this.#open.values();
  }

  /** In bytes, of all clients that have been there, so far. */
  get total(): { readonly fromClients: number; readonly toClients: number } {
    let [fromClients, toClients] = [this.#fromClients, this.#toClients];
    for (const { bytesRead, bytesWritten } of this.#open) {
      fromClients += bytesRead;
      toClients += bytesWritten;
    }
    return { fromClients, toClients };
  }
}
