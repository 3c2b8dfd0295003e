import { parseUpstream, type ServerConfig } from './upstream.js';
import { ValueError } from './values.js';

/** How the proxy's own connection reaches its database. `name` is for logs and messages and has nothing secret in it. */
export interface GraphUrl {
  readonly server: ServerConfig;
  /** A host, or the directory of a unix socket: for ~/.pgpass. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** undefined: PGPASSWORD, or ~/.pgpass. */
  readonly password: string | undefined;
  readonly database: string;
  readonly name: string;
}

const URL_PARTS =
  /^(postgres(?:ql)?:\/\/)(?:([^:@/?]*)(?::([^@/?]*))?@)?((?:\[[^\]/?]+\]|[^:/?[\]]*)(?::\d*)?)(?:\/([^?]*))?(?:\?(.*))?$/;

/**
 * Takes the URL of one database, `postgres://user:password@host:port/database`: as for the upstream, with the user and
 * the database, which nobody else brings here.
 * @throws ValueError. Its message never repeats the URL, which may have a password in it.
 */
export function parseGraphUrl(text: string): GraphUrl {
  const parts = URL_PARTS.exec(text);
  if (!parts) throw new ValueError('is not a URL such as postgres://me@db.example:5432/shop');
  const [, scheme, urlUser, urlPassword, authority, urlDatabase, query = ''] = parts;
  const own = new Map<string, string>();
  const rest = query.split('&').filter((pair) => {
    const [name = '', ...value] = pair.split('=');
    const isOwn = ['user', 'password', 'dbname'].includes(name);
    if (isOwn) own.set(name, value.join('='));
    return !isOwn;
  });
  const server = parseUpstream(`${scheme}${authority}?${rest.join('&')}`);
  const user = decode(own.get('user') ?? urlUser);
  const password = decode(own.get('password') ?? urlPassword);
  const database = decode(own.get('dbname') ?? urlDatabase);
  if (server.kind === 'embedded') throw new ValueError('is the embedded database');
  if (!user) throw new ValueError('has no user in its URL');
  if (!database) throw new ValueError('has no database in its URL');
  const at = server.kind === 'tcp' ? server : socketPlace(server.path);
  const { host, port } = at;
  return { server, host, port, user, password, database, name: `${database} on ${server.name}` };
}

/** The directory and the port that a socket's path is made of. */
function socketPlace(path: string): { readonly host: string; readonly port: number } {
  const [host = '', port] = path.split('/.s.PGSQL.');
  return { host, port: Number(port) };
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    throw new ValueError('has a broken percent-encoding in its URL');
  }
}
