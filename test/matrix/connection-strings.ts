/** One login, as each client wants to be told of it. */
import { DRIVERS } from './drivers.js';
import type { ClientName, SslMode } from './rows.js';

export interface Target {
  /** Of localhost. */
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly sslmode: SslMode;
  /** The file of the authority, by which verify-ca and verify-full make sure of the server. */
  readonly root: string;
  /** The client's certificate: a path that `.crt`, `.key` and `.pk8` are put after. */
  readonly certificate: string | undefined;
}

/** @param wantsBinding as far as the client can */
export function connectionString(client: ClientName, target: Target, wantsBinding: boolean): string {
  const { port, user, database, password, sslmode, root, certificate } = target;
  const key = client === 'pgjdbc' ? '.pk8' : '.key';
  const tls: Readonly<Record<string, string>> = {
    sslmode,
    // With it, require would be verify-ca.
    ...(sslmode.startsWith('verify-') && { sslrootcert: root }),
    ...(certificate && { sslcert: `${certificate}.crt`, sslkey: `${certificate}${key}` }),
    ...(wantsBinding && DRIVERS[client].binding.wanted === 'require' && { channel_binding: 'require' }),
  };
  const login = { user, password };
  const where = { host: 'localhost', hostaddr: '127.0.0.1', port: String(port), dbname: database };
  switch (client) {
    case 'psql':
    case 'psycopg':
      return Object.entries({ ...where, ...login, ...tls })
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
    case 'node-postgres':
      return `postgres://${user}:${password}@localhost:${port}/${database}?${new URLSearchParams({ ...tls, uselibpqcompat: 'true' })}`;
    case 'pgjdbc':
      return `jdbc:postgresql://localhost:${port}/${database}?${new URLSearchParams({ ...login, ...tls })}`;
    case 'asyncpg':
      return `postgres://${user}:${password}@localhost:${port}/${database}?${new URLSearchParams(tls)}`;
    default:
      return client satisfies never;
  }
}
