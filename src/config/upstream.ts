/** Where the proxy connects to, as URLs of libpq say it: one server, or several (libpq-connect.html#LIBPQ-MULTIPLE-HOSTS). */
import { formatAddress } from './address.js';
import { AUTH_PARAMETERS, parseServerAuth, type ServerAuth } from './values/server-auth.js';
import { oneOf, parseServerTls, type ServerTls, TLS_PARAMETERS } from './values/server-tls.js';
import { quote, ValueError } from './values/values.js';

/** Where the proxy connects to. `name` is for logs and messages and has nothing secret in it. */
export type UpstreamConfig = { readonly kind: 'embedded' } | (ServersConfig & { readonly kind: 'servers' });

export const EMBEDDED: UpstreamConfig = { kind: 'embedded' };

/** A server that answers somewhere. */
export type ServerConfig =
  | ({
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly name: string;
      readonly keepAlive: KeepAlive;
    } & ServerTls)
  | { readonly kind: 'unix'; readonly path: string; readonly name: string };

/** `keepalives` and `keepalives_idle`. Seconds; 0: as the system has it. */
export interface KeepAlive {
  readonly enabled: boolean;
  readonly idle: number;
}

export interface ServersConfig {
  /** All of them: `db1:5432,db2:5432`. */
  readonly name: string;
  /** In the order in which they are tried; at least one. */
  readonly hosts: readonly [ServerConfig, ...ServerConfig[]];
  readonly target: Target;
  /** What each login has to be; undefined: the URL does not say. */
  readonly auth?: ServerAuth | undefined;
  /** Milliseconds for each address of a host; undefined: no end but that of the login. */
  readonly connectTimeout: number | undefined;
  /** The hosts, and the addresses of each, are tried in another order each time. */
  readonly isShuffled: boolean;
}

/** `target_session_attrs`: which sessions are taken. */
export type Target = (typeof TARGETS)[number];

const TARGETS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;

/** Parameters of libpq that Node.js has no way to set. */
const IMPOSSIBLE = ['keepalives_interval', 'keepalives_count', 'tcp_user_timeout'];

const PARAMETERS: readonly string[] = [
  'host',
  'port',
  ...TLS_PARAMETERS,
  ...AUTH_PARAMETERS,
  'target_session_attrs',
  'connect_timeout',
  'load_balance_hosts',
  'keepalives',
  'keepalives_idle',
];

/** A host of the list, and its port. */
const HOST = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/;

/** What the client brings. */
const CLIENT_PARAMETERS = ['user', 'password', 'dbname'];

// libpq's URLs are not WHATWG URLs: there may be several hosts, and a host may be empty or an encoded path.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;

/**
 * Takes `embedded` or a `postgres://` URL. A host that starts with a slash (in `?host=`, or percent-encoded) is the
 * directory of a unix socket.
 * @throws ValueError. Its message never repeats the URL, which may have a password in it.
 */
export function parseUpstream(text: string): UpstreamConfig {
  if (text === 'embedded') return EMBEDDED;
  const parts = URL_PARTS.exec(text);
  const [, userinfo, authority = '', database, query = ''] = parts ?? [];
  const servers = parts && parseServers(authority, query, CLIENT_PARAMETERS);
  if (!servers) throw new ValueError('is neither "embedded" nor a URL such as postgres://db.example:5432');
  if (userinfo !== undefined || database || servers.others.size > 0) {
    throw new ValueError(
      'has a user, password or database in its URL: leave them out, the client brings them',
    );
  }
  return { kind: 'servers', ...servers.config };
}

/**
 * @param authority hosts and ports, `a:1,[::1]:2`
 * @param query the parameters, percent-encoded
 * @param others further parameters that may be there
 * @returns undefined where the authority is none
 * @throws ValueError
 */
export function parseServers(
  authority: string,
  query: string,
  others: readonly string[] = [],
): { readonly config: ServersConfig; readonly others: ReadonlyMap<string, string> } | undefined {
  const places = authority.split(',').map((text) => HOST.exec(text));
  if (places.some((place) => place === null)) return undefined;
  const parameters = parseQuery(query, others);
  const tls = parseServerTls(parameters);
  const auth = parseServerAuth(parameters);
  const keepAlive = parseKeepAlive(parameters);
  const names = parameters.get('host')?.split(',') ?? places.map((place) => decode(place?.[1] ?? ''));
  const ports = portsOf(parameters.get('port')?.split(',') ?? places.map((place) => place?.[2] ?? ''), names);
  const [first, ...rest] = names.map((host, i) => serverOf(host, ports[i] ?? '', tls, keepAlive));
  if (first === undefined) return undefined;
  const hosts = [first, ...rest] as const;
  if (auth?.channel_binding === 'require') checkBinding(hosts);
  const config: ServersConfig = {
    name: hosts.map(({ name }) => name).join(','),
    hosts,
    auth,
    target: oneOf(TARGETS, parameters, 'target_session_attrs') ?? 'any',
    connectTimeout: secondsOf(parameters, 'connect_timeout') * 1000 || undefined,
    isShuffled: oneOf(['disable', 'random'] as const, parameters, 'load_balance_hosts') === 'random',
  };
  const given = [...parameters].filter(([name]) => others.includes(name));
  return { config, others: new Map(given) };
}

/** A login is bound to the server's certificate. */
function checkBinding(hosts: readonly ServerConfig[]): void {
  for (const host of hosts)
    if (host.kind === 'unix' || host.sslmode === 'disable')
      throw new ValueError(
        `has channel_binding=require, and connects to ${host.name} without TLS: there is nothing to bind to`,
      );
}

/** One port is that of all hosts. */
function portsOf(ports: readonly string[], hosts: readonly string[]): readonly string[] {
  if (ports.length === 1) return hosts.map(() => ports[0] ?? '');
  if (ports.length !== hosts.length)
    throw new ValueError(`has ${ports.length} ports in its URL for ${hosts.length} hosts`);
  return ports;
}

function serverOf(name: string, portText: string, tls: ServerTls, keepAlive: KeepAlive): ServerConfig {
  const host = name.replace(/^\[(.*)\]$/, '$1');
  const port = parsePort(portText);
  if (host === '') throw new ValueError('has no host in its URL');
  if (host.startsWith('/')) {
    const path = `${host.replace(/\/+$/, '')}/.s.PGSQL.${port}`;
    return { kind: 'unix', path, name: path };
  }
  return { kind: 'tcp', host, port, ...tls, keepAlive, name: formatAddress({ host, port }) };
}

function parseQuery(query: string, others: readonly string[]): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = pair.split('=');
    if (IMPOSSIBLE.includes(name))
      throw new ValueError(`has ${name} in its URL, which Node.js leaves to the system: set it there`);
    if (![...PARAMETERS, ...others].includes(name))
      throw new ValueError(`has ${quote(name)} in its URL, which is not one of ${PARAMETERS.join(', ')}`);
    parameters.set(name, decode(value.join('=')));
  }
  return parameters;
}

function parseKeepAlive(parameters: ReadonlyMap<string, string>): KeepAlive {
  const enabled = oneOf(['0', '1'] as const, parameters, 'keepalives') !== '0';
  return { enabled, idle: secondsOf(parameters, 'keepalives_idle') };
}

/** Whole seconds. As for libpq, what is not above 0 says nothing: then 0. */
function secondsOf(parameters: ReadonlyMap<string, string>, name: string): number {
  const text = parameters.get(name) || '0';
  if (!/^\s*[+-]?\d{1,6}\s*$/.test(text))
    throw new ValueError(`has ${name} ${quote(text)}, which is not a number of seconds`);
  return Math.max(0, Number(text));
}

function parsePort(text: string): number {
  if (text === '') return 5432;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new ValueError(`has port ${quote(text)}, which is not within 1 and 65535`);
  return port;
}

/** @throws ValueError */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError('has a broken percent-encoding in its URL');
  }
}
