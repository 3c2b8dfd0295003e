/** What is told of the proxy, put together: the log, the metrics, the record of cascades, and the reports over HTTP. */
import { type Actionable, actions } from './admin/actions.js';
import { probes } from './admin/probes.js';
import { reports } from './admin/reports.js';
import { type AdminServer, startAdmin } from './admin/server.js';
import { Audit } from './audit/audit.js';
import { SessionAudit } from './audit/session-audit.js';
import { isLoopback, parseAddress } from './config/address.js';
import type { Config } from './config/schema.js';
import type { Gateway } from './net/gateway.js';
import type { GatewayOptions } from './net/gateway-options.js';
import { Both } from './observe/both.js';
import type { Logger } from './observe/log.js';
import { watchLoopDelay } from './observe/loop-delay.js';
import type { CacheUse, SessionState } from './observe/metric-sources.js';
import { Metrics } from './observe/metrics.js';
import { Repeats } from './observe/repeats.js';
import { SessionLog } from './observe/session-log.js';
import { SessionMetrics } from './observe/session-metrics.js';
import { version } from './observe/version.js';
import type { SessionSettings } from './session/options.js';

/** The metrics of a proxy whose gateway and sessions may not be there yet. */
export function metricsOf(gateway: () => Gateway, session: () => SessionSettings): Metrics {
  return new Metrics({
    version: version(),
    sessions: () => statesOf(gateway()),
    traffic: () => gateway().traffic,
    graphs: () =>
      graphsOf(session()).map(({ graph, ...known }) => ({
        ...known,
        tables: graph.size,
        keys: graph.keys.length,
      })),
    caches: () => cachesOf(session()),
  });
}

/** Measures how late the event loop is. @returns what ends it */
export function watchLoop(metrics: Metrics): () => void {
  return watchLoopDelay((seconds) => metrics.loopDelayed(seconds));
}

/** Who listens to each client: the log, the metrics, and the record of cascades. */
export function listenersOf(metrics: Metrics, audit: Audit | undefined): GatewayOptions['listener'] {
  const repeats = new Repeats();
  const counter = new SessionMetrics(metrics);
  return (log, database, owner) => {
    const both = new Both(new SessionLog(log, repeats, database), counter);
    return audit && owner ? new Both(both, new SessionAudit(audit, owner)) : both;
  };
}

/** @throws the system's error where the file cannot be opened */
export async function openAudit(
  { path, required }: Config['audit'],
  metrics: Metrics,
  log: Logger,
): Promise<Audit | undefined> {
  if (path === null) return undefined;
  const audit = new Audit(path, required, {
    failed(err) {
      metrics.auditFailed();
      log.error({ err }, `audit.path cannot be written: ${required ? 'cascades are refused' : 'lines wait'}`);
    },
    recovered: () => log.info('audit.path is written again'),
    lost: () => metrics.auditLost(),
  });
  await audit.start();
  return audit;
}

/** What the pages of the admin endpoint are made of. */
interface Administered {
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly session: SessionSettings;
  readonly config: () => Config;
  readonly isDraining: () => boolean;
  readonly doing: Actionable;
}

/** @throws the system's error where its address cannot be listened on */
export async function openAdmin(
  { config, doing, gateway, metrics, session, isDraining }: Administered,
  log: Logger,
): Promise<AdminServer | undefined> {
  const { listen } = config().admin;
  if (listen === null) return undefined;
  if (!isLoopback(parseAddress(listen))) log.warn(OPEN);
  const state = { started: () => true, ready: () => readiness(isDraining(), gateway.isFull) };
  const reported = reports({
    metrics: () => metrics.text(),
    metricsType: metrics.contentType,
    sessions: () => gateway.sessions,
    graphs: () => graphsOf(session).map(({ graph, ...known }) => ({ ...known, keys: graph.keys })),
    config,
  });
  const admin = await startAdmin(listen, {
    probes: probes(state),
    reports: reported,
    actions: actions(doing),
  });
  metrics.addProcess();
  return admin;
}

const OPEN =
  'admin.listen is not a loopback address: whoever reaches it can read who is connected and have the configuration read again';

function* statesOf(gateway: Gateway): Iterable<SessionState> {
  for (let i = 0; i < gateway.entering; i++) yield 'login';
  for (const { state } of gateway.sessions) yield state;
}

function graphsOf({ policy }: SessionSettings) {
  return [...policy().graphs.lastSeen()].map(({ database, at, graph }) => ({
    database,
    age: (performance.now() - at) / 1000,
    graph,
  }));
}

function cachesOf({ policy, statements }: SessionSettings): readonly CacheUse[] {
  return [
    { cache: 'graphs', ...policy().graphs.uses },
    ...Object.entries(statements.uses).map(([cache, uses]) => ({ cache, ...uses })),
  ];
}

function readiness(draining: boolean, full: boolean): { ok: boolean; reason: string } {
  if (draining) return { ok: false, reason: 'shutting down' };
  return full ? { ok: false, reason: 'limits.connections is reached' } : { ok: true, reason: 'ready' };
}
