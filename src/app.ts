/** The composition root: makes everything from the configuration, starts it, and ends it in order. */
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Audit } from './audit/audit.js';
import { type Address, localAddress, parseAddress, SOCKET_PORT } from './config/address.js';
import type { Config } from './config/schema.js';
import type { SchemaListener } from './graph/watch/listener.js';
import { Gateway } from './net/gateway.js';
import type { Entrance } from './net/gateway-options.js';
import { listen, listenAddress } from './net/listener.js';
import { socketUpstream } from './net/tcp.js';
import type { Upstream } from './net/upstream.js';
import { type Logger, setLevel } from './observe/log.js';
import type { Metrics } from './observe/metrics.js';
import { listenersOf, metricsOf, openAdmin, openAudit, watchLoop } from './observing.js';
import { familyNamed } from './profiles/recognise.js';
import { type Reload, Reloader } from './reload/reloader.js';
import { StatementCache } from './rewrite/statement-cache.js';
import { MessageMemory } from './session/message-memory.js';
import type { SessionSettings } from './session/options.js';
import { parserReady } from './sql/parser/parser.js';

export interface App {
  /** Where clients connect, with the ports that the system chose. */
  readonly addresses: readonly string[];
  /** Where probes and metrics are asked for; undefined where nowhere. */
  readonly admin: string | undefined;
  /**
   * Is not ready from now on, and serves all the same for limits.shutdown_delay. Then refuses new clients, lets open
   * transactions end within limits.drain_timeout, and closes everything.
   */
  drain(): Promise<void>;
  /** Reads the configuration and its files again. New clients find what they say, and open sessions new rules. Never rejects. */
  reload(): Promise<Reload>;
  /** The text for the person who started the proxy: where to connect. */
  banner(): string;
}

/** What the proxy has from the program around it. */
export interface StartOptions {
  /** Reads the configuration again, as at the start. @throws ConfigError */
  readonly read?: () => Config;
  /** Ends the program in order: somebody asks for it over HTTP. */
  readonly quit?: () => void;
  /** Milliseconds that a server may take to act on a cancel request, where not as usual (src/net/cancel.ts). */
  readonly cancelPatience?: number | undefined;
}

/** What is to be closed at the end: what was opened last is closed first. */
type Closing = (() => unknown)[];

/** @throws the system's error where an address cannot be listened on, ConfigError where a file of users cannot be used */
export async function startApp(config: Config, log: Logger, options: StartOptions = {}): Promise<App> {
  const closing: Closing = [];
  try {
    await parserReady();
    return await start(config, log, options, closing);
  } catch (error) {
    await closeAll(closing);
    throw error;
  }
}

async function closeAll(closing: Closing): Promise<void> {
  for (const close of closing.toReversed()) await close();
}

async function start(config: Config, log: Logger, options: StartOptions, closing: Closing): Promise<App> {
  const { read = () => config, quit = () => {}, cancelPatience } = options;
  const upstream = await openUpstream(config, log);
  closing.push(() => upstream.close());
  let schema: SchemaListener | undefined;
  closing.push(() => schema?.close());
  const watch = async (settings: Config) => {
    schema ??= await listenForChanges(settings, log);
    return schema;
  };
  const statements = new StatementCache((crash) =>
    log.warn(
      { crash },
      'a thread that reads long texts has ended: its text is refused, and the next one starts another',
    ),
  );
  closing.push(() => statements.close());
  const metrics = metricsOf(
    () => gateway,
    () => session,
  );
  closing.push(watchLoop(metrics));
  const audit = await openAudit(config.audit, metrics, log);
  closing.push(() => audit?.close());
  const done = (reload: Reload) => reloaded(reload, reloader, { audit, metrics, log });
  const reloader = await Reloader.start(config, { read, done, watch, log });
  const session = sessionSettings(reloader, { upstreamName: upstream.name, statements, audit });
  const entrance = () => entranceOf(reloader);
  const idle = { idle: config.limits.idle_timeout, inTransaction: config.limits.idle_in_transaction };
  const listener = listenersOf(metrics, audit);
  const gateway = new Gateway({ upstream, session, entrance, idle, cancelPatience, log, listener });
  const addresses = await listenForClients(config, gateway, reloader, closing);
  let draining = false;
  const settings = () => reloader.current.config;
  const doing = { reload: () => reloader.reload(), quit, mayQuit: () => settings().admin.quit };
  const isDraining = () => draining;
  const admin = await openAdmin({ config: settings, doing, gateway, metrics, session, isDraining }, log);
  closing.push(() => admin?.close());
  log.info({ upstream: upstream.name, admin: admin?.address }, `listening on ${addresses.join(', ')}`);
  return {
    addresses,
    admin: admin?.address,
    reload: () => reloader.reload(),
    banner: () => banner(addresses[0] ?? '', upstream.name),
    drain: async () => {
      draining = true;
      const lastReload = reloader.end();
      const { limits } = settings();
      if (limits.shutdown_delay > 0) await setTimeout(limits.shutdown_delay);
      // The listeners close after the drain, so that new clients are told meanwhile why they are refused.
      await gateway.drain(limits.drain_timeout);
      await lastReload;
      await closeAll(closing);
    },
  };
}

/** @returns where clients connect, with the ports that the system chose */
async function listenForClients(
  { listen: texts, limits }: Config,
  gateway: Gateway,
  reloader: Reloader,
  closing: Closing,
): Promise<readonly string[]> {
  const addresses: string[] = [];
  for (const text of texts) {
    const address = listenAddress(text);
    // As PostgreSQL's, a unix socket has no TLS.
    const tls = () => (address.kind === 'unix' ? undefined : reloader.current.tls);
    const onClient = (client: Socket) => gateway.accept(client, tls());
    const listener = await listen(address, onClient, limits.tcp_keepalives_idle ?? 0);
    closing.push(() => listener.close());
    addresses.push(listener.address);
  }
  return addresses;
}

function entranceOf({ current: { config, connections, login } }: Reloader): Entrance {
  const { login_timeout: loginTimeout, per_user: perUser, per_database: perDatabase } = config.limits;
  return { login, loginTimeout, admission: { connections, perUser, perDatabase } };
}

/** What a reload has to change in what is there once. */
interface Reloaded {
  readonly audit: Audit | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}

async function reloaded(
  reload: Reload,
  { current }: Reloader,
  { audit, metrics, log }: Reloaded,
): Promise<void> {
  metrics.reloaded(reload.kind);
  if (reload.kind === 'refused') return;
  if (reload.changed.includes('log.level')) setLevel(log, current.config.log.level);
  await audit?.reopen();
}

/** What is made once, for all sessions. */
interface SharedBySessions {
  readonly upstreamName: string;
  readonly statements: StatementCache;
  readonly audit: Audit | undefined;
}

function sessionSettings(
  reloader: Reloader,
  { upstreamName, statements, audit }: SharedBySessions,
): SessionSettings {
  // Unlike the rest it does not change as long as the proxy runs.
  const { limits, profile } = reloader.current.config;
  const { message_bytes: messageBytes } = limits;
  return {
    upstreamName,
    family: familyNamed(profile),
    statements,
    policy: () => reloader.current.policy,
    counting: audit !== undefined,
    obstacle: () => audit?.refusal,
    messageBytes,
    memory: new MessageMemory(messageBytes),
  };
}

async function openUpstream({ upstream, auth, graph }: Config, log: Logger): Promise<Upstream> {
  if (upstream.kind === 'embedded') {
    log.info('starting an embedded PostgreSQL with a sample schema');
    // Imported only where it is used: PGlite is a whole database.
    return (await import('./net/embedded/embedded.js')).openEmbedded();
  }
  const account = graph.url;
  if (upstream.target === 'any' || auth.mode !== 'relay' || account === null) return socketUpstream(upstream);
  const { lookAtServer } = await import('./graph/watch/connection.js');
  return socketUpstream(upstream, (address, target, signal) =>
    lookAtServer(account, address, target, signal),
  );
}

/** Waits for one attempt to connect, whether it succeeds or not: the listener tries again later. */
async function listenForChanges(
  { graph, cascade }: Config,
  log: Logger,
): Promise<SchemaListener | undefined> {
  if (graph.url === null || cascade.mode === 'off') return undefined;
  const { SchemaListener } = await import('./graph/watch/listener.js');
  const listener = new SchemaListener(graph.url, log);
  await listener.start();
  return listener;
}

function banner(address: string, upstream: string): string {
  const embedded = upstream === 'embedded';
  const listened: Address = address.startsWith('/')
    ? { host: address, port: SOCKET_PORT }
    : parseAddress(address);
  const { host, port } = localAddress(listened);
  const target = `psql "host=${host} port=${port} user=postgres dbname=postgres"`;
  const what = embedded
    ? 'an embedded PostgreSQL with a sample schema, whose foreign keys it does not enforce'
    : upstream;
  const trial = embedded ? `\n\nThen try: DELETE FROM orgs WHERE id = 1;` : '';
  return `pgcascade listens on ${address}, in front of ${what}.\nConnect with:\n\n    ${target}${trial}\n`;
}
