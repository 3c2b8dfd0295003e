import { type Address, formatAddress } from './address.js';
import { parseServerTls, type ServerTls, TLS_PARAMETERS } from './server-tls.js';
import { quote, ValueError } from './values.js';

/** Where the proxy connects to. `name` is for logs and messages and has nothing secret in it. */
export type UpstreamConfig = { readonly kind: 'embedded' } | ServerConfig;

/** A server that answers somewhere. */
export type ServerConfig =
  | ({
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly name: string;
    } & ServerTls)
  | { readonly kind: 'unix'; readonly path: string; readonly name: string };

const PARAMETERS: readonly string[] = ['host', 'port', ...TLS_PARAMETERS];
const CLIENT_PARAMETERS = ['user', 'password', 'dbname'];

// libpq's URLs are not WHATWG URLs: the host may be empty or an encoded path.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
const URL_PARTS =
  /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?(\[[^\]/?]+\]|[^:/?[\]]*)(?::(\d*))?(?:\/([^?]*))?(?:\?(.*))?$/;

/**
 * Takes `embedded` or a `postgres://` URL. A host that starts with a slash (in `?host=`, or percent-encoded) is the
 * directory of a unix socket.
 * @throws ValueError. Its message never repeats the URL, which may have a password in it.
 */
export function parseUpstream(text: string): UpstreamConfig {
  if (text === 'embedded') return { kind: 'embedded' };
  const parts = URL_PARTS.exec(text);
  if (!parts) throw new ValueError('is neither "embedded" nor a URL such as postgres://db.example:5432');
  const [, userinfo, authority = '', authorityPort, database, query] = parts;
  const parameters = parseQuery(query ?? '');

  if (userinfo !== undefined || database || CLIENT_PARAMETERS.some((name) => parameters.has(name))) {
    throw new ValueError(
      'has a user, password or database in its URL: leave them out, the client brings them',
    );
  }
  const tls = parseServerTls(parameters);
  const host = parameters.get('host') ?? decode(authority).replace(/^\[(.*)\]$/, '$1');
  const port = parsePort(parameters.get('port') ?? authorityPort);

  if (host === '') throw new ValueError('has no host in its URL');
  if (host.includes(',')) throw new ValueError('has several hosts in its URL: one is supported');
  if (host.startsWith('/')) {
    const path = `${host.replace(/\/+$/, '')}/.s.PGSQL.${port}`;
    return { kind: 'unix', path, name: path };
  }
  const address: Address = { host, port };
  return { kind: 'tcp', ...address, ...tls, name: formatAddress(address) };
}

function parseQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter(Boolean)) {
    const [name = '', ...value] = pair.split('=');
    if (![...PARAMETERS, ...CLIENT_PARAMETERS].includes(name)) {
      throw new ValueError(`has ${quote(name)} in its URL, which is not one of ${PARAMETERS.join(', ')}`);
    }
    parameters.set(name, decode(value.join('=')));
  }
  return parameters;
}

function parsePort(text: string | undefined): number {
  if (!text) return 5432;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new ValueError(`has port ${quote(text)}, which is not within 1 and 65535`);
  return port;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError('has a broken percent-encoding in its URL');
  }
}
