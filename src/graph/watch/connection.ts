/** Connections of the proxy's own to a database: to listen on, and to install what notifies. */
import pg from 'pg';
import { LateSocket } from '../../transport/late-socket.js';
import type { ServerAddress } from '../../transport/server-socket.js';

export interface WatchedDatabase {
  readonly server: ServerAddress;
  /** As ~/.pgpass has them. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  /** For logs and messages. */
  readonly name: string;
}

/** Milliseconds. */
const CONNECT_TIMEOUT = 5000;
const KEEPALIVE = 30_000;

/** No schema of the database's comes before the server's own, no timeout of the role's applies, and an idle connection stays. */
const SETTINGS = `SELECT pg_catalog.set_config(name, CASE WHEN name OPERATOR(pg_catalog.=) 'search_path' THEN 'pg_catalog' ELSE '0' END, false)
  FROM pg_catalog.pg_settings
  WHERE name OPERATOR(pg_catalog.=) ANY (ARRAY['search_path', 'statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout'])`;

/** @returns a client that is not connected: it emits `end` at the end of its connection, and before that `error` with the reason */
export function clientOf(
  { name: _, password, server, ...target }: WatchedDatabase,
  options: pg.ClientConfig = {},
): pg.Client {
  return new pg.Client({
    ...target,
    ...(password === undefined ? {} : { password }),
    stream: () => new LateSocket(server),
    ssl: false,
    application_name: 'pgcascade',
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE,
    ...options,
  });
}

/** @throws the error of the system or of the server */
export async function connect(client: pg.Client): Promise<void> {
  await client.connect();
  await client.query(SETTINGS);
}
