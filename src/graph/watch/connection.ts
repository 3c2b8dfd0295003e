/** Connections of the proxy's own to a database: to listen on, to install what notifies, and to look at a server. */
import pg from 'pg';
import type { ServerAuth } from '../../config/values/server-auth.js';
import { firstOf, NextHost } from '../../upstream/hosts.js';
import { LateSocket } from '../../upstream/late-socket.js';
import { LoginDemands } from '../../upstream/login-demands.js';
import type { ServerAddress } from '../../upstream/server-socket.js';
import { type Aspect, aspectOf, type SessionTarget, unwanted } from '../../upstream/session-kind.js';
import { Authentication } from '../../wire/sasl.js';

/** Which servers are wanted, as target_session_attrs of libpq says it. */
type Target = 'any' | 'prefer-standby' | SessionTarget;

/** Who connects, and to what. */
export interface Account {
  readonly user: string;
  /** undefined: PGPASSWORD, or ~/.pgpass. */
  readonly password: string | undefined;
  readonly database: string;
  readonly servers: {
    /** What a login has to be; undefined: whatever the server asks for. */
    readonly auth?: ServerAuth | undefined;
    /** Milliseconds for each; undefined: CONNECT_TIMEOUT. */
    readonly connectTimeout?: number | undefined;
  };
}

export interface WatchedDatabase extends Account {
  readonly servers: Account['servers'] & {
    readonly hosts: readonly [ServerAddress, ...ServerAddress[]];
    readonly target: Target;
    readonly isShuffled: boolean;
  };
  /** For logs and messages. */
  readonly name: string;
}

/** Milliseconds. */
const CONNECT_TIMEOUT = 5000;
/** Seconds, where the URL says nothing. */
const KEEPALIVE = 30;

/** No schema of the database's comes before the server's own, no timeout of the role's applies, and an idle connection stays. */
const SETTINGS = `SELECT pg_catalog.set_config(name, CASE WHEN name OPERATOR(pg_catalog.=) 'search_path' THEN 'pg_catalog' ELSE '0' END, false)
  FROM pg_catalog.pg_settings
  WHERE name OPERATOR(pg_catalog.=) ANY (ARRAY['search_path', 'statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_session_timeout'])`;

/** By what a session is judged, in the order of the columns. */
const ASPECTS: readonly Aspect[] = ['standby', 'readOnly'];
const KIND = `SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on'`;

/** @returns a client that is not connected: it emits `end` at the end of its connection, and before that `error` with the reason */
export function clientOf(
  { user, password, database, servers: { connectTimeout = CONNECT_TIMEOUT, auth } }: Account,
  server: ServerAddress,
  options: pg.ClientConfig = {},
): pg.Client {
  const client = new pg.Client({
    ...placeOf(server),
    user,
    database,
    ...(password === undefined ? {} : { password }),
    stream: () => new LateSocket(keptAlive(server)),
    ssl: false,
    application_name: 'pgcascade',
    connectionTimeoutMillis: connectTimeout,
    enableChannelBinding: auth?.channel_binding === 'require',
    ...options,
  });
  if (auth) holdTo(client, new LoginDemands(auth));
  return client;
}

/** The events of `pg` for questions of a login. It knows no others, and fails where the server asks them. */
const QUESTIONS: Readonly<Record<string, number>> = {
  authenticationOk: Authentication.Ok,
  authenticationCleartextPassword: Authentication.CleartextPassword,
  authenticationMD5Password: Authentication.MD5Password,
  authenticationSASL: Authentication.SASL,
  authenticationSASLContinue: Authentication.SASLContinue,
  authenticationSASLFinal: Authentication.SASLFinal,
};

/** `message` comes before the event that `pg` answers: on a connection that is closed by then, its answer goes nowhere. */
function holdTo({ connection }: pg.Client, demands: LoginDemands): void {
  connection.on('message', ({ name, mechanisms = [] }: { name: string; mechanisms?: readonly string[] }) => {
    const code = QUESTIONS[name];
    const objection = code === undefined ? undefined : demands.objectionTo(code, mechanisms);
    if (objection === undefined) return;
    const error = new Error(objection);
    // What else has come in the same packet would still make it a connection.
    connection.emit('error', error);
    connection.stream.destroy(error);
  });
}

function keptAlive(server: ServerAddress): ServerAddress {
  if (server.kind === 'unix') return server;
  const { enabled, idle } = server.keepAlive;
  return { ...server, keepAlive: { enabled, idle: idle || KEEPALIVE } };
}

/** Host and port as ~/.pgpass has them: of a socket's path, its directory and the end of its name. */
function placeOf(server: ServerAddress): { readonly host: string; readonly port: number } {
  if (server.kind === 'tcp') return { host: server.host, port: server.port };
  const [host = '', port] = server.path.split('/.s.PGSQL.');
  return { host, port: Number(port) };
}

/** Sends one statement, and gives its rows: of each the values, in the order of the columns. */
export type Ask = (sql: string, values?: readonly unknown[]) => Promise<readonly (readonly unknown[])[]>;

/**
 * Works on a connection of its own, which is closed then.
 * @throws the error of the system or of the server
 */
export function asking<T>(database: WatchedDatabase, work: (ask: Ask) => Promise<T>): Promise<T> {
  return connected(database, (client) =>
    work(
      async (text, values = []) => (await client.query({ text, values: [...values], rowMode: 'array' })).rows,
    ),
  );
}

/** As `asking`, for what needs more than rows. */
export async function connected<T>(
  database: WatchedDatabase,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = clientOf(database, await serverOf(database));
  // The query that it stops fails with the same error.
  client.on('error', () => {});
  try {
    await connect(client);
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Whether the server has answered with an error: the connection may go on. */
export function isOfServer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError;
}

/** Whether the server does not know what it was asked: not that the role may not ask it. */
export function isUnknownToServer(error: unknown): boolean {
  return isOfServer(error) && /^42(?!501)/.test(error.code ?? '');
}

/** @throws the error of the system or of the server */
export async function connect(client: pg.Client): Promise<void> {
  await client.connect();
  await client.query(SETTINGS).catch((error) => {
    // Another server than PostgreSQL has none of these, and a doctor may look at it all the same.
    if (!isUnknownToServer(error)) throw error;
  });
}

/**
 * The server of a database that is to be connected to: of several, the first that takes connections and is wanted. It is looked
 * at on a connection that is closed by then.
 * @throws an Error that says of each server why it is not taken
 */
export async function serverOf(database: WatchedDatabase): Promise<ServerAddress> {
  const { servers } = database;
  const [only, ...others] = servers.hosts;
  if (others.length === 0 && servers.target === 'any') return only;
  const limited = { ...servers, connectTimeout: servers.connectTimeout ?? CONNECT_TIMEOUT };
  const wanting = (target: Target) =>
    firstOf(limited, undefined, async (address, signal) => {
      const reason = await lookAtServer(database, address, target, signal);
      if (reason !== undefined) throw new NextHost(reason);
      return address;
    });
  if (servers.target !== 'prefer-standby') return wanting(servers.target);
  return wanting('standby').catch(() => wanting('any'));
}

/**
 * @param signal ends it: no limit of its own does
 * @returns why a session of this account is none of those that are wanted; undefined: it is
 * @throws NextHost where the server takes no connections now; else the error of the system or of the server
 */
export async function lookAtServer(
  account: Account,
  address: ServerAddress,
  target: Target,
  signal: AbortSignal,
): Promise<string | undefined> {
  // A limit of `pg` would be an error of the server's, after which no other is tried.
  const client = clientOf(account, address, { connectionTimeoutMillis: 0 });
  const stop = () => void client.connection.stream.destroy();
  // What it waits for fails with the same error.
  client.on('error', () => {});
  signal.addEventListener('abort', stop);
  try {
    await client.connect();
    if (target === 'any' || target === 'prefer-standby') return undefined;
    const { rows } = await client.query<boolean[]>({ text: KIND, rowMode: 'array' });
    return unwanted(target, rows[0]?.[ASPECTS.indexOf(aspectOf(target))] === true);
  } catch (error) {
    if (isOfServer(error) && error.code === '57P03') throw new NextHost(error.message);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
