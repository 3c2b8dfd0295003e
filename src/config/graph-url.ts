import { decode, parseServers, type ServersConfig } from './upstream.js';
import { allowsOwn } from './values/server-auth.js';
import { ValueError } from './values/values.js';

/** How the proxy's own connection reaches its database. `name` is for logs and messages and has nothing secret in it. */
export interface GraphUrl {
  readonly servers: ServersConfig;
  readonly user: string;
  /** undefined: PGPASSWORD, or ~/.pgpass. */
  readonly password: string | undefined;
  readonly database: string;
  readonly name: string;
}

const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/;

/**
 * Takes the URL of one database, `postgres://user:password@host:port/database`: as for the upstream, with the user and
 * the database, which nobody else brings here.
 * @throws ValueError. Its message never repeats the URL, which may have a password in it.
 */
export function parseGraphUrl(text: string): GraphUrl {
  const parts = URL_PARTS.exec(text);
  const [, urlUser, urlPassword, authority = '', urlDatabase, query = ''] = parts ?? [];
  const parsed = parts && parseServers(authority, query, ['user', 'password', 'dbname']);
  if (!parsed) throw new ValueError('is not a URL such as postgres://me@db.example:5432/shop');
  const { config: servers, others } = parsed;
  const user = others.get('user') ?? decode(urlUser ?? '');
  const password = others.get('password') ?? (urlPassword === undefined ? undefined : decode(urlPassword));
  const database = others.get('dbname') ?? decode(urlDatabase ?? '');
  const required = servers.auth?.require_auth;
  if (required && !allowsOwn(required))
    throw new ValueError(`has require_auth=${required.text}: pgcascade can log in by none of these itself`);
  if (!user) throw new ValueError('has no user in its URL');
  if (!database) throw new ValueError('has no database in its URL');
  return { servers, user, password, database, name: `${database} on ${servers.name}` };
}

/** libpq's variables, and the parameters of a URL that say the same (libpq-envars.html): all that a URL may have here. */
const VARIABLES = {
  PGHOST: 'host',
  PGPORT: 'port',
  PGUSER: 'user',
  PGDATABASE: 'dbname',
  PGREQUIREAUTH: 'require_auth',
  PGCHANNELBINDING: 'channel_binding',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGSSLCRL: 'sslcrl',
  PGSSLSNI: 'sslsni',
  PGSSLMINPROTOCOLVERSION: 'ssl_min_protocol_version',
  PGSSLMAXPROTOCOLVERSION: 'ssl_max_protocol_version',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGLOADBALANCEHOSTS: 'load_balance_hosts',
} as const;

/**
 * The database that libpq's variables name; one that is empty says nothing. PGPASSWORD and ~/.pgpass hold where a URL has no password.
 * @returns undefined where they do not say who connects, or to what
 * @throws ValueError
 */
export function databaseOfVariables(env: Readonly<Record<string, string | undefined>>): GraphUrl | undefined {
  if (!env.PGUSER || !(env.PGDATABASE || env.PGHOST)) return undefined;
  const defaults: Readonly<Record<string, string>> = { PGDATABASE: env.PGUSER, PGHOST: 'localhost' };
  const query = Object.entries(VARIABLES).flatMap(([variable, parameter]) => {
    const value = env[variable] || defaults[variable];
    return value ? [`${parameter}=${encodeURIComponent(value)}`] : [];
  });
  return parseGraphUrl(`postgres:///?${query.join('&')}`);
}
