import { connectTo, type ServerAddress, startOn } from '../transport/server-socket.js';
import type { Upstream } from './upstream.js';

/** A server on the network or behind a unix socket. */
export function socketUpstream(name: string, address: ServerAddress): Upstream {
  return {
    name,
    connect: () => connectTo(address),
    start: (startup, signal) => startOn(address, startup, signal),
    close: async () => {},
  };
}
