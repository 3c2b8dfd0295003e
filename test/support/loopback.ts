/** Listens on a loopback port, for what stands in the place of a server. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface Loopback {
  readonly host: string;
  readonly port: number;
  /** Ends its connections too. */
  close(): Promise<void>;
}

/**
 * What is written goes out at once: one that writes an answer in several parts would otherwise wait, before the second, for the other
 * side to acknowledge the first, which takes that side 40 ms.
 * @param serve is given each connection; its errors are not told, as clients of tests go without a word
 */
export async function listen(serve: (socket: Socket) => void): Promise<Loopback> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    host: '127.0.0.1',
    port: typeof address === 'object' && address ? address.port : 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
