import type pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, inject } from 'vitest';
import type { z } from 'zod';
import { type App, startApp } from '../../src/app.js';
import { parseAddress } from '../../src/config/address.js';
import { configSchema } from '../../src/config/schema.js';
import { createLogger } from '../../src/observe/log.js';
import { type MadeConnections, madeConnections } from './made-connections.js';
import { databaseUrl } from './postgres.js';
import { failWhereLogged } from './unlogged.js';

/** Keys of the configuration, as a file would give them. */
export type ProxyOptions = Omit<z.input<typeof configSchema>, 'limits'> & {
  readonly limits?: Readonly<Record<string, string | number>>;
};

/** A pgcascade in this process. Like any server it is connected to over TCP. */
export interface RunningProxy {
  readonly host: string;
  readonly port: number;
  readonly app: App;
  /** What it logged from `warn` on, or from the level that the options say: a line of JSON each. */
  readonly log: readonly string[];
  /** The connection string of a database behind it. */
  url(database: string): string;
  /** A new connection; `stop` ends it where the test does not. */
  connect(database?: string): Promise<pg.Client>;
  /** Has it read other keys of the configuration, in place of those that it was started with. */
  reload(options: ProxyOptions): ReturnType<App['reload']>;
  /** Drains it: sessions in a transaction are given 100 ms, unless the options say otherwise. */
  stop(): Promise<void>;
}

/**
 * Starts a proxy on a free port, in front of the server that all tests share unless the options say otherwise.
 * @param cancelPatience as startApp
 * @param keeps whether a connection that a test ends is had again by another one
 */
export async function startProxy(
  options: ProxyOptions = {},
  cancelPatience?: number,
  keeps = false,
): Promise<RunningProxy> {
  const server = inject('postgres');
  const configured = (given: ProxyOptions) =>
    configSchema.parse({
      listen: '127.0.0.1:0',
      upstream: `postgres://${server.host}:${server.port}`,
      admin: null,
      ...given,
      limits: { drain_timeout: '100ms', ...given.limits },
    });
  const config = configured(options);
  let next = config;
  const log: string[] = [];
  // What nobody reads is looked at, too: no line may have a secret in it.
  let keptFrom = options.log ? undefined : pino.levels.values.warn;
  const app = await startApp(
    config,
    createLogger(
      { level: options.log ? config.log.level : 'trace', format: 'json' },
      {
        write(line) {
          failWhereLogged(line);
          if (keptFrom === undefined || levelOf(line) >= keptFrom) log.push(line);
        },
      },
    ),
    { cancelPatience, read: () => next },
  );
  const { host, port } = parseAddress(app.addresses[0] ?? '');
  const url = (database: string) => databaseUrl({ host, port, user: server.user }, database);
  const connections = new Map<string, MadeConnections>();
  const connectionsTo = (database: string) => {
    const known = connections.get(database) ?? madeConnections(url(database), keeps);
    connections.set(database, known);
    return known;
  };
  return {
    host,
    port,
    app,
    log,
    url,
    connect: (database = 'postgres') => connectionsTo(database).take(),
    reload(given) {
      next = configured(given);
      if (given.log) keptFrom = undefined;
      return app.reload();
    },
    async stop() {
      // A client that the proxy has already ended cannot say goodbye.
      await Promise.all([...connections.values()].map((made) => made.end().catch(() => {})));
      await app.drain();
    },
  };
}

function levelOf(line: string): number {
  const { level } = JSON.parse(line) as { readonly level: string };
  return pino.levels.values[level] ?? Number.POSITIVE_INFINITY;
}

/**
 * Gives the tests of this file (or of this `describe`) one proxy, from before the first test until after the last. What a test asks
 * by `connect` is asked in a session as new: the connection may be another test's that ended it.
 */
export function useProxy(options: ProxyOptions = {}): RunningProxy {
  let started: RunningProxy | undefined;
  const proxy = () => {
    if (!started) throw new Error('the proxy is started in beforeAll: use it in a test, or in a later hook');
    return started;
  };
  beforeAll(async () => {
    started = await startProxy(options, undefined, true);
  });
  afterAll(() => started?.stop());
  return {
    get host() {
      return proxy().host;
    },
    get port() {
      return proxy().port;
    },
    get app() {
      return proxy().app;
    },
    get log() {
      return proxy().log;
    },
    url: (database) => proxy().url(database),
    connect: (database) => proxy().connect(database),
    reload: (given) => proxy().reload(given),
    stop: () => proxy().stop(),
  };
}
