/** The composition root: makes everything from the configuration, starts it, and ends it in order. */

import type { AdminServer } from './admin/server.js';
import type { Audit } from './audit/audit.js';
import { openLogin } from './auth/open-login.js';
import { type Address, localAddress, parseAddress, SOCKET_PORT } from './config/address.js';
import type { Config } from './config/schema.js';
import { GraphCache } from './graph/cache.js';
import type { SchemaListener } from './graph/watch/listener.js';
import { type TlsOffer, tlsOffer } from './net/client-connection.js';
import { Gateway, type GatewayOptions } from './net/gateway.js';
import { type Listener, listen, listenAddress } from './net/listener.js';
import { mostClients, openFileLimit } from './net/open-files.js';
import { socketUpstream } from './net/tcp.js';
import type { Upstream } from './net/upstream.js';
import type { Logger } from './observe/log.js';
import { listenersOf, metricsOf, openAdmin, openAudit, watchLoop } from './observing.js';
import { StatementCache } from './rewrite/statement-cache.js';
import { MessageMemory } from './session/message-memory.js';
import type { SessionSettings } from './session/options.js';
import { parserReady } from './sql/parser/parser.js';

export interface App {
  /** Where clients connect, with the ports that the system chose. */
  readonly addresses: readonly string[];
  /** Where probes and metrics are asked for; undefined where nowhere. */
  readonly admin: string | undefined;
  /** Refuses new clients, lets open transactions end within limits.drain_timeout, and closes everything. */
  drain(): Promise<void>;
  /**
   * Reads the files of `tls` again. New connections get what they say; open ones stay.
   * @returns what is the matter with them, by key: then what was read before stays in use
   */
  reloadCertificates(): readonly string[];
  /**
   * Reads the files of `auth` again. New logins are made with them; sessions stay.
   * @returns what is the matter with them: then what was read before stays in use
   */
  reloadUsers(): Promise<readonly string[]>;
  /** The text for the person who started the proxy: where to connect. */
  banner(): string;
}

/**
 * @param cancelPatience milliseconds that a server may take to act on a cancel request, where not as usual (src/net/cancel.ts)
 * @throws the system's error where an address cannot be listened on
 */
export async function startApp(config: Config, log: Logger, cancelPatience?: number): Promise<App> {
  await parserReady();
  const { login, reload } = await openLogin(config.auth, config.limits.message_bytes, log);
  const upstream = await openUpstream(config, log);
  const schema = await listenForChanges(config, log);
  const statements = new StatementCache((crash) =>
    log.warn(
      { crash },
      'a thread that reads long texts has ended: its text is refused, and the next one starts another',
    ),
  );
  const metrics = metricsOf(
    () => gateway,
    () => session,
  );
  const audit = await openAudit(config.audit, metrics, log);
  const session = sessionSettings(config, { upstreamName: upstream.name, statements, schema, audit });
  const gateway = new Gateway({
    upstream,
    login,
    session,
    ...clientLimits(config, log),
    loginTimeout: config.limits.login_timeout,
    cancelPatience,
    log,
    listener: listenersOf(metrics, audit),
  });
  const loop = watchLoop(metrics);
  let draining = false;
  let tls: TlsOffer | undefined;
  const listeners: Listener[] = [];
  let admin: AdminServer | undefined;
  const close = async () => {
    loop();
    await Promise.all(listeners.map((listener) => listener.close()));
    await admin?.close();
    await schema?.close();
    await statements.close();
    await audit?.close();
    await upstream.close();
  };
  try {
    tls = tlsOffer(config.tls);
    for (const address of config.listen) listeners.push(await listenOn(address, config, gateway, tls));
    admin = await openAdmin(config, { gateway, metrics, session, isDraining: () => draining });
  } catch (error) {
    await close();
    throw error;
  }
  const addresses = listeners.map(({ address }) => address);
  log.info({ upstream: upstream.name, admin: admin?.address }, `listening on ${addresses.join(', ')}`);
  return {
    addresses,
    admin: admin?.address,
    reloadCertificates: () => (tls?.acceptor.reload() ?? []).map(({ key, text }) => `tls.${key}: ${text}`),
    reloadUsers: reload,
    banner: () => banner(addresses[0] ?? '', upstream.name),
    drain: async () => {
      draining = true;
      // The listeners close after the drain, so that new clients are told meanwhile why they are refused.
      await gateway.drain(config.limits.drain_timeout);
      await close();
    },
  };
}

function clientLimits({ limits }: Config, log: Logger): Pick<GatewayOptions, 'admission' | 'idle'> {
  const { per_user, per_database, idle_timeout, idle_in_transaction } = limits;
  const connections = roomFor(limits.connections, log);
  return {
    admission: { connections, perUser: per_user, perDatabase: per_database },
    idle: { idle: idle_timeout, inTransaction: idle_in_transaction },
  };
}

/** As PostgreSQL's, a unix socket has no TLS. */
function listenOn(
  text: string,
  { limits }: Config,
  gateway: Gateway,
  tls: TlsOffer | undefined,
): Promise<Listener> {
  const address = listenAddress(text);
  const offer = 'directory' in address ? undefined : tls;
  return listen(address, (client) => gateway.accept(client, offer), limits.tcp_keepalives_idle ?? 0);
}

/** What is made once, for all sessions. */
interface SharedBySessions {
  readonly upstreamName: string;
  readonly statements: StatementCache;
  readonly schema: SchemaListener | undefined;
  readonly audit: Audit | undefined;
}

function sessionSettings(
  { cascade, graph, limits }: Config,
  { upstreamName, statements, schema, audit }: SharedBySessions,
): SessionSettings {
  const { mode, declared, overrides, relations, unsupported, code, triggers } = cascade;
  return {
    upstreamName,
    graphs: new GraphCache(graph.refresh, schema),
    statements,
    keySettings: { declared, overrides, relations },
    active: mode === 'on',
    reject: unsupported === 'reject',
    counting: audit !== undefined,
    obstacle: () => audit?.refusal,
    refusesCode: code === 'reject',
    triggers,
    messageBytes: limits.message_bytes,
    memory: new MessageMemory(limits.message_bytes),
  };
}

/** The number of clients that are served at a time: limits.connections, or fewer where the system has no room for them. */
function roomFor(connections: number, log: Logger): number {
  const files = openFileLimit();
  const most = mostClients(connections, files);
  if (most < connections)
    log.warn(
      `limits.connections is ${connections}, and the ${files} files that may be open (ulimit -n) are enough for ${most} clients: one more is refused`,
    );
  return most;
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
