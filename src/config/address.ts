import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { join } from 'node:path';
import { quote, ValueError } from './values/values.js';

/**
 * A TCP address. The host has no brackets; `*` is every interface of the machine, `0.0.0.0` each of IPv4, and `::` each of
 * IPv6, as in listen_addresses; port 0 lets the system choose.
 */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Takes `host:port` or `[v6]:port`.
 * @throws ValueError
 */
export function parseAddress(text: string): Address {
  const [, v6, name, digits] = /^(?:\[([^\]]*)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || (v6 !== undefined && !isIPv6(v6))) {
    throw new ValueError(`${quote(text)} is not an address such as 127.0.0.1:6432 or [::1]:6432`);
  }
  if (port > 65_535) throw new ValueError(`${quote(text)} has a port above 65535`);
  return { host, port };
}

/** An address at which a program of this machine finds who listens on `address`. */
export function localAddress(address: Address): Address {
  if (address.host === '::') return { ...address, host: '::1' };
  return address.host === '*' || address.host === '0.0.0.0' ? { ...address, host: '127.0.0.1' } : address;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only programs on this machine can connect to an address. */
export function isLoopback({ host }: Address): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Whether no process can listen on both addresses: every interface of a port includes each single one. With port 0 the
 * system chooses another port each time.
 */
export function collide(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return one.host === other.host || takes(one, other) || takes(other, one);
}

/** Whether an address is every interface of a family, or of both, and a host may be one of them. */
export function takes(wide: Address, { host }: Address): boolean {
  if (wide.host === '0.0.0.0') return !isIPv6(host);
  return wide.host === '*' || (wide.host === '::' && !isIPv4(host));
}

interface ListenOptions {
  readonly host?: string;
  readonly port: number;
  readonly ipv6Only?: boolean;
}

/**
 * What `net.Server.listen` takes for an address. Without a host, Node.js listens on every interface, IPv6 and IPv4; on
 * `::` it would do so too, and could not beside `0.0.0.0`. PostgreSQL (StreamServerPort) and PgBouncer set IPV6_V6ONLY.
 */
export function listenOptions(address: Address): ListenOptions {
  if (address.host === '*') return { port: address.port };
  return address.host === '::' ? { ...address, ipv6Only: true } : address;
}

/** Gives the text that {@link parseAddress} takes. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The port that names a unix socket where the configuration gives only a directory. */
export const SOCKET_PORT = 6432;

/** The longest path of a socket that every system takes (sun_path): Node.js would cut a longer one. */
const LONGEST_PATH = 103;

/** The socket in a directory, named as libpq looks for it. */
export function socketIn(directory: string): string {
  return join(directory, `.s.PGSQL.${SOCKET_PORT}`);
}

/**
 * Takes what a client can connect to, a TCP address or the absolute path of a socket directory, and gives it back.
 * @throws ValueError
 */
export function checkListenAddress(text: string): string {
  if (text.startsWith('/')) {
    const path = socketIn(text);
    if (Buffer.byteLength(path) <= LONGEST_PATH) return text;
    throw new ValueError(
      `${quote(path)} is longer than the ${LONGEST_PATH} bytes that a socket's path may have`,
    );
  }
  try {
    return formatAddress(parseAddress(text));
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(`${error.message}, nor a path such as /run/postgresql`);
  }
}
