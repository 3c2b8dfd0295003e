import type { Socket } from 'node:net';
import { sayFarewell } from '../session/server/farewell.js';
import type { ClientUpstream } from './client-upstream.js';

/**
 * Lets the server refuse a startup packet of another protocol version, in the form of that version. The server gets
 * nothing else from this client: no session would read it, so no DELETE in it could be expanded.
 */
export async function relayRefusal(client: Socket, startup: Buffer, upstream: ClientUpstream): Promise<void> {
  const { server } = await upstream.start(startup);
  server.on('data', (answer: Buffer) => client.write(answer));
  server.once('end', () => sayFarewell(client)).once('close', () => sayFarewell(client));
  client.once('close', () => server.destroy());
  if (client.destroyed) server.destroy();
  else server.end();
}
