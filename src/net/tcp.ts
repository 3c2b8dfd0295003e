import { connectTo, type ServerAddress } from '../transport/server-socket.js';
import type { Upstream } from './upstream.js';

/** A server on the network or behind a unix socket. */
export function socketUpstream(name: string, address: ServerAddress): Upstream {
  return { name, connect: () => connectTo(address), close: async () => {} };
}
