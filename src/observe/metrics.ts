/** What is counted and measured, for Prometheus. docs/running.md says what each is good for. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { GraphSize, MetricSources, SessionState } from './metric-sources.js';

type Labels = Readonly<Record<string, string>>;

const PREFIX = 'pgcascade_';
const STATES: readonly SessionState[] = ['login', 'idle', 'active', 'transaction'];
/** More databases have no lines of their own: names that clients choose must not fill the memory of whoever collects. */
const MOST_DATABASES = 200;
/** More tables are counted together, as `other`. */
const MOST_TABLES = 200;
/** Seconds. A plan takes micro- to milliseconds, a cascade up to minutes. */
const SHORT = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1];
const LONG = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const DELAYS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** The metrics of one proxy. Two proxies in a process share none. */
export class Metrics {
  readonly #registry = new Registry();
  /** Plain numbers: a statement that is passed on costs no more than an addition. */
  readonly #statements = { passed: 0, cascaded: 0, refused: 0, error: 0 };
  readonly #connections = this.#counter('connections_total', 'Clients that have connected.');
  readonly #loginFailures = this.#counter('login_failures_total', 'Clients without a session.', 'reason');
  readonly #refusals = this.#counter('refusals_total', "Errors of the proxy's own to statements.", 'error');
  readonly #unexpanded = this.#counter(
    'unexpanded_total',
    'Statements that may delete and went on as they are (cascade.unsupported: pass).',
    'error',
  );
  readonly #upstreamErrors = this.#counter('upstream_errors_total', 'Errors of the server.', 'class');
  readonly #retries = this.#counter('retries_total', 'Statements that were sent again.', 'reason');
  readonly #auditFailures = this.#counter(
    'audit_failures_total',
    'Times that the audit could not be written.',
  );
  readonly #auditLost = this.#counter('audit_lost_total', 'Lines of the audit that were given up.');
  readonly #ended = this.#counter('sessions_ended_total', 'Sessions that pgcascade has ended.', 'error');
  readonly #idle = this.#counter(
    'idle_in_transaction_total',
    'Times that a session was idle in a transaction for longer than limits.idle_in_transaction.',
  );
  readonly #reloads = this.#counter(
    'reloads_total',
    'Readings of the configuration while it runs.',
    'outcome',
  );
  readonly #defects = this.#counter('session_failures_total', 'Sessions that a defect has ended.');
  readonly #rows = this.#counter(
    'cascade_rows_total',
    'Rows of cascades that were counted.',
    'table',
    'action',
  );
  readonly #tables = new Set<string>();
  readonly #planning = this.#histogram('plan_seconds', 'From a text to what is sent for it.', SHORT);
  readonly #reading = this.#histogram('catalog_read_seconds', 'Reading the whole catalog.', LONG);
  readonly #cascades = this.#histogram('cascade_seconds', 'Executing an expanded statement.', LONG);
  readonly #delays = this.#histogram('event_loop_delay_seconds', 'How late the event loop is.', DELAYS);

  constructor(sources: MetricSources) {
    this.#lookUp('sessions', 'Clients, by what they are doing.', 'gauge', ['state'], () =>
      counted(sources.sessions()),
    );
    this.#lookUp('build_info', 'Always 1.', 'gauge', ['version', 'node'], () => [
      [{ version: sources.version, node: process.version }, 1],
    ]);
    this.#lookUpTraffic(sources);
    this.#lookUpCaches(sources);
    this.#lookUpGraphs(sources);
  }

  /** Adds what prom-client knows of the process: memory, processor, garbage collection. It is collected until the process ends. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** All of it, in the text format of Prometheus (`contentType`). */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  connected(): void {
    this.#connections.inc();
  }

  loginFailed(reason: string): void {
    this.#loginFailures.inc({ reason });
  }

  /** The server has executed a statement as it came. */
  executed(): void {
    this.#statements.passed++;
  }

  /** A statement was answered by an error of the proxy's own. */
  refused(error: string): void {
    this.#statements.refused++;
    this.#refusals.inc({ error });
  }

  passedUnexpanded(error: string): void {
    this.#unexpanded.inc({ error });
  }

  /** A statement was answered by an error of the server's. @param sqlstate five characters: the first two are its class */
  failedByServer(sqlstate: string): void {
    this.#statements.error++;
    this.#upstreamErrors.inc({ class: sqlstate.slice(0, 2) });
  }

  retried(reason: string): void {
    this.#retries.inc({ reason });
  }

  /** @param outcome applied or refused */
  reloaded(outcome: string): void {
    this.#reloads.inc({ outcome });
  }

  auditFailed(): void {
    this.#auditFailures.inc();
  }

  auditLost(): void {
    this.#auditLost.inc();
  }

  /** @param error by which the client was told */
  ended(error: string): void {
    this.#ended.inc({ error });
  }

  idleInTransaction(): void {
    this.#idle.inc();
  }

  defect(): void {
    this.#defects.inc();
  }

  planned(seconds: number): void {
    this.#planning.observe(seconds);
  }

  catalogRead(seconds: number): void {
    this.#reading.observe(seconds);
  }

  cascaded(seconds: number): void {
    this.#statements.cascaded++;
    this.#cascades.observe(seconds);
  }

  /** @param table with its schema */
  rowsTaken(table: string, action: string, rows: number): void {
    if (rows === 0) return;
    if (this.#tables.size < MOST_TABLES) this.#tables.add(table);
    this.#rows.inc({ table: this.#tables.has(table) ? table : 'other', action }, rows);
  }

  loopDelayed(seconds: number): void {
    this.#delays.observe(seconds);
  }

  #lookUpTraffic({ traffic }: MetricSources): void {
    this.#lookUp('bytes_total', 'Bytes between clients and the proxy.', 'counter', ['direction'], () => {
      const { fromClients, toClients } = traffic();
      return [
        [{ direction: 'from_client' }, fromClients],
        [{ direction: 'to_client' }, toClients],
      ];
    });
    this.#lookUp('statements_total', 'Statements that were answered.', 'counter', ['kind'], () =>
      Object.entries(this.#statements).map(([kind, count]) => [{ kind }, count]),
    );
  }

  #lookUpCaches({ caches }: MetricSources): void {
    for (const which of ['hits', 'misses'] as const)
      this.#lookUp(`cache_${which}_total`, `The ${which} of each cache.`, 'counter', ['cache'], () =>
        [...caches()].map((use) => [{ cache: use.cache }, use[which]]),
      );
  }

  #lookUpGraphs({ graphs }: MetricSources): void {
    const gauge = (name: string, help: string, value: (graph: GraphSize) => number) =>
      this.#lookUp(name, help, 'gauge', ['database'], () =>
        [...graphs()]
          .slice(0, MOST_DATABASES)
          .map((graph) => [{ database: graph.database }, value(graph)] as const),
      );
    gauge('graph_age_seconds', 'Since the graph was last known to hold.', ({ age }) => age);
    gauge('graph_tables', 'Tables in the graph.', ({ tables }) => tables);
    gauge('graph_keys', 'Foreign keys in the graph.', ({ keys }) => keys);
  }

  /** A metric whose values are looked up whenever someone asks. */
  #lookUp(
    name: string,
    help: string,
    kind: 'counter' | 'gauge',
    labelNames: readonly string[],
    values: () => readonly (readonly [Labels, number])[],
  ): void {
    const Kind = kind === 'counter' ? Counter : Gauge;
    const metric: Counter | Gauge = new Kind({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        metric.reset();
        for (const [labels, value] of values()) metric.inc(labels, value);
      },
    });
  }

  #counter(name: string, help: string, ...labelNames: readonly string[]): Counter {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    return new Histogram({
      name: PREFIX + name,
      help,
      buckets: [...buckets],
      registers: [this.#registry],
    });
  }
}

function counted(states: Iterable<SessionState>): readonly (readonly [Labels, number])[] {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => [{ state }, count]);
}
