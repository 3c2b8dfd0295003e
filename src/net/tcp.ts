/** Servers on the network or behind unix sockets. */
import type { ServersConfig, Target } from '../config/upstream.js';
import { type Attempt, firstOf, NextHost, NoHost } from '../upstream/hosts.js';
import { startOnReady } from '../upstream/ready-server.js';
import { abortable, connectTo, type ServerAddress, startOn } from '../upstream/server-socket.js';
import type { SessionTarget } from '../upstream/session-kind.js';
import type { SessionLook, Started, Upstream, UpstreamHost } from './upstream.js';

/**
 * Looks at a server on a connection of its own.
 * @returns why its sessions are none of those that are wanted; undefined: they are
 * @throws the error of the system or of the server
 */
export type Probe = (
  address: ServerAddress,
  target: SessionTarget,
  signal: AbortSignal,
) => Promise<string | undefined>;

/** @param probe for clients whose own session cannot be looked at before they hear of it */
export function socketUpstream(servers: ServersConfig, probe?: Probe): Upstream {
  return {
    name: servers.name,
    hosts: servers.hosts.map(hostOf),
    auth: servers.auth,
    start: (startup, signal, look) => {
      const start = (target: Target) =>
        firstOf(servers, signal, attemptOf(servers, startup, target, look, probe));
      if (servers.target !== 'prefer-standby') return start(servers.target);
      // In a second round any session will do.
      return start('standby').catch((error: unknown) => {
        if (!(error instanceof NoHost && error.isExhausted)) throw error;
        return start('any');
      });
    },
    close: async () => {},
  };
}

const hosts = new WeakMap<ServerAddress, UpstreamHost>();

/** The same for all connections to an address. */
function hostOf(address: ServerAddress): UpstreamHost {
  const known = hosts.get(address);
  if (known) return known;
  const host = { name: address.name, connect: () => connectTo(address) };
  hosts.set(address, host);
  return host;
}

/** Where there is one server and no limit, its first answer is that of the login, whatever it is. */
function attemptOf(
  { hosts, connectTimeout }: ServersConfig,
  startup: Buffer,
  target: Target,
  look: SessionLook | undefined,
  probe: Probe | undefined,
): Attempt<Started> {
  const wanted = target === 'any' || target === 'prefer-standby' ? undefined : target;
  const isAlone = hosts.length === 1 && connectTimeout === undefined;
  return async (address, signal) => {
    if (wanted && !look && probe) await refuse(probe(address, wanted, signal));
    const connection = await (isAlone ? startOn : startOnReady)(address, startup, signal);
    try {
      if (wanted && look)
        await refuse(abortable(connection, signal, () => look(connection, address.name, wanted)));
    } catch (error) {
      connection.end(TERMINATE).destroySoon();
      throw error;
    }
    return { connection, host: hostOf(address) };
  };
}

const TERMINATE = Buffer.from('X\0\0\0\x04');

async function refuse(reason: Promise<string | undefined>): Promise<void> {
  const why = await reason;
  if (why !== undefined) throw new NextHost(why);
}
