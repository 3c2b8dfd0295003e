/** Bytes between clients and the proxy, as their sockets count them. */
import type { Socket } from 'node:net';

export class ClientTraffic {
  readonly #open = new Set<Socket>();
  /** Of the clients that are gone. */
  #fromClients = 0;
  #toClients = 0;

  /** Counts a client's bytes from now on. */
  add(client: Socket): void {
    this.#open.add(client);
    client.once('close', () => {
      this.#open.delete(client);
      this.#fromClients += client.bytesRead;
      this.#toClients += client.bytesWritten;
    });
  }

  /** Of all clients that have been there, so far. */
  get total(): { readonly fromClients: number; readonly toClients: number } {
    let [fromClients, toClients] = [this.#fromClients, this.#toClients];
    for (const { bytesRead, bytesWritten } of this.#open) {
      fromClients += bytesRead;
      toClients += bytesWritten;
    }
    return { fromClients, toClients };
  }
}
