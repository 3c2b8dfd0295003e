/** What the proxy says of itself over HTTP: /metrics for Prometheus, and in JSON /sessions, /graph and /config. */
import type { Config } from '../config/schema.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import { JSON_TYPE, type Page, type Pages } from './server.js';

/** The graph that was seen last of a database. */
export interface DatabaseGraph {
  readonly database: string;
  /** Seconds since it was known to hold. */
  readonly age: number;
  readonly keys: readonly ForeignKey[];
}

/** Where the reports come from. */
export interface Reported {
  metrics(): Promise<string>;
  /** The Content-Type of the metrics. */
  readonly metricsType: string;
  sessions(): Iterable<object>;
  graphs(): Iterable<DatabaseGraph>;
  /** The one that holds. */
  config(): Config;
}

/** Milliseconds for which a report is given again as it is: many who ask must not keep the event loop from its clients. */
const FRESH = 1000;

/** @param now the time in milliseconds */
export function reports(
  { metrics, metricsType, sessions, graphs, config }: Reported,
  now: () => number = () => performance.now(),
): Pages {
  const pages: Readonly<Record<string, () => Promise<Page>>> = {
    '/metrics': async () => ({ status: 200, type: metricsType, body: await metrics() }),
    '/sessions': async () => json({ sessions: [...sessions()] }),
    '/graph': async () => json({ databases: [...graphs()].map(graphReport) }),
    '/config': async () => json(withoutPasswords(config())),
  };
  return new Map(Object.entries(pages).map(([path, make]) => [path, onceASecond(make, now)]));
}

/** Who asks while a report is being made waits for that one. A report that could not be made is made again. */
function onceASecond(make: () => Promise<Page>, now: () => number): () => Promise<Page> {
  let made: Promise<Page> | undefined;
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    if (made && now() - at < FRESH) return made;
    at = now();
    made = make();
    made.catch(() => {
      made = undefined;
    });
    return made;
  };
}

function json(value: object): Page {
  return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(value, null, 2)}\n` };
}

function graphReport({ database, age, keys }: DatabaseGraph) {
  return {
    database,
    age_seconds: age,
    keys: keys.map(({ name, referencing, referenced, columns, action, performer, declared }) => ({
      name,
      from: named(referencing),
      to: named(referenced),
      columns: columns.map(({ referencing: from, referenced: to }) => [from, to]),
      on_delete: action,
      performed_by: performer,
      declared,
    })),
  };
}

function named({ schema, name }: Relation): string {
  return `${schema}.${name}`;
}

/** A password is said to be set, and is not said: that of graph.url, and of a key of TLS. */
function withoutPasswords(config: Config): object {
  return JSON.parse(
    JSON.stringify(config, (key, value) => (PASSWORD_KEY.test(key) && value ? '(set)' : value)),
  );
}

const PASSWORD_KEY = /password/i;
