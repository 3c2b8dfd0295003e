import type { z } from 'zod';
import { collide, isLoopback, parseAddress, takes } from './address.js';
import type { KeyColumns } from './key-columns.js';
import type { UpstreamConfig } from './upstream.js';
import { allowsOwn } from './values/server-auth.js';

interface Relation {
  readonly name: string;
  readonly from: KeyColumns;
  readonly to: KeyColumns;
}

/** The part of a configuration whose keys can contradict each other. */
interface Combination {
  readonly listen: readonly string[];
  /** Undefined where none is configured: then the proxy starts the embedded sample. */
  readonly upstream?: UpstreamConfig | undefined;
  readonly admin: { readonly listen: string | null };
  readonly auth: Auth;
  readonly graph: { readonly url: object | null };
  readonly cascade: { readonly relations: readonly Relation[] };
  readonly audit: { readonly path: string | null; readonly required: boolean };
  readonly tls: Tls;
}

interface Auth {
  readonly mode: 'relay' | 'proxy' | 'cert';
  readonly users: string | null;
  readonly map: string | null;
}

interface Tls {
  readonly mode: 'disable' | 'allow' | 'require';
  readonly cert: string | null;
  readonly key: string | null;
  readonly client_ca: string | null;
  readonly client_crl: string | null;
  readonly client_auth: 'none' | 'want' | 'require';
}

/** Adds an issue for every pair of valid values that cannot work together. */
export function checkCombinations(config: Combination, context: z.core.$RefinementCtx): void {
  check(config, (message, ...path) => context.addIssue({ code: 'custom', message, path }));
}

/** The same, as lines: `auth.users: is missing`. */
export function combinationProblems(config: Combination): readonly string[] {
  const found: string[] = [];
  check(config, (message, ...path) => found.push(`${path.join('.')}: ${message}`));
  return found;
}

function check(config: Combination, problem: (message: string, ...path: PropertyKey[]) => void): void {
  const { listen, upstream, admin, audit } = config;
  const hosts = upstream?.kind === 'servers' ? upstream.hosts : [];

  listen.forEach((address, index) => {
    const other = listen.slice(0, index).find((each) => sharePlace(each, address));
    if (other !== undefined) {
      const what = other === address ? 'is listed twice' : `takes the same port as ${other}`;
      problem(`${address} ${what}`, 'listen', index);
    }
    for (const host of hosts)
      if (host.kind === 'tcp' && reaches(address, host.host, host.port))
        problem(`${host.name} is where the proxy itself listens`, 'upstream');
    if (admin.listen !== null && sharePlace(address, admin.listen)) {
      const by = address === admin.listen ? 'listen' : `listen (${address})`;
      problem(`${admin.listen} is taken by ${by}`, 'admin', 'listen');
    }
  });

  if (audit.required && audit.path === null)
    problem('is set, and audit.path is not: there is no record to require', 'audit', 'required');

  const open = listen.find((address) => !address.startsWith('/') && !isLoopback(parseAddress(address)));
  if (upstream === undefined && open !== undefined) {
    problem(
      `is missing: say postgres://host:port. The embedded sample is served on ${open} only where upstream is embedded by name`,
      'upstream',
    );
  }

  checkAuth(config, problem);
  checkTarget(config, problem);
  checkServerAuth(config, problem);
  checkTls(config.tls, problem);

  const seen = new Set<string>();
  const related = new Map<string, string>();
  config.cascade.relations.forEach(({ name, from, to }, index) => {
    const key = JSON.stringify([from.schema, from.table, name]);
    if (seen.has(key)) {
      problem(
        `${from.schema}.${from.table} has a relation of that name already`,
        'cascade',
        'relations',
        index,
        'name',
      );
    }
    seen.add(key);
    const columns = sameColumns(from, to);
    const other = related.get(columns);
    if (other !== undefined && other !== name) {
      problem(`relates the same columns as ${other}`, 'cascade', 'relations', index, 'from');
    }
    related.set(columns, name);
  });
}

function checkAuth(
  { auth: { mode, users, map }, tls }: Pick<Combination, 'auth' | 'tls'>,
  problem: (message: string, ...path: PropertyKey[]) => void,
): void {
  if (mode === 'proxy' && users === null)
    problem('is missing: auth.mode proxy verifies clients by what this file has', 'auth', 'users');
  if (mode === 'relay' && users !== null)
    problem('has no effect while auth.mode is relay: the database itself knows the users', 'auth', 'users');
  if (mode !== 'cert' && map !== null)
    problem(`has no effect while auth.mode is ${mode}: it is for cert`, 'auth', 'map');
  if (mode === 'cert' && tls.client_auth === 'none')
    problem('is none, and auth.mode is cert: say require, or want', 'tls', 'client_auth');
}

/** A relayed login is the client's: it cannot be begun a second time with another host, so somebody else has to look before. */
function checkTarget(
  { upstream, auth, graph }: Pick<Combination, 'upstream' | 'auth' | 'graph'>,
  problem: (message: string, ...path: PropertyKey[]) => void,
): void {
  if (upstream?.kind !== 'servers' || upstream.target === 'any') return;
  if (auth.mode === 'relay' && graph.url === null)
    problem(
      `has target_session_attrs=${upstream.target}, and nobody can look at the session before the client: set graph.url, whose user then does, or auth.mode`,
      'upstream',
    );
}

/** What no login could fulfil is said before the first one. */
function checkServerAuth(
  { upstream, auth: { mode, users } }: Pick<Combination, 'upstream' | 'auth'>,
  problem: (message: string, ...path: PropertyKey[]) => void,
): void {
  const demands = upstream?.kind === 'servers' ? upstream.auth : undefined;
  const required = demands?.require_auth;
  if (mode === 'relay') {
    if (demands?.channel_binding === 'require')
      problem(
        'has channel_binding=require, and auth.mode is relay: the login is that of the client, whose connection is another one: say auth.mode proxy',
        'upstream',
      );
    return;
  }
  if (
    mode === 'cert' &&
    users === null &&
    (demands?.channel_binding === 'require' || required?.mayAskNothing === false)
  )
    problem(
      'has a server asked for a password (require_auth, channel_binding), and auth.mode is cert without auth.users: there is none',
      'upstream',
    );
  else if (required && !allowsOwn(required))
    problem(
      `has require_auth=${required.text}, and auth.mode is ${mode}: pgcascade can log in by none of these itself`,
      'upstream',
    );
}

/** Nothing that is said of certificates may be without effect. */
function checkTls(
  { mode, cert, key, client_ca, client_crl, client_auth }: Tls,
  problem: (message: string, ...path: PropertyKey[]) => void,
): void {
  if (mode !== 'disable')
    for (const [name, file] of Object.entries({ cert, key }))
      if (file === null) problem(`is missing: tls.mode is ${mode}`, 'tls', name);
  if (client_auth === 'none') {
    for (const [name, file] of Object.entries({ client_ca, client_crl }))
      if (file !== null)
        problem('has no effect while tls.client_auth is none: say want or require', 'tls', name);
  } else if (client_ca === null) problem(`is missing: tls.client_auth is ${client_auth}`, 'tls', 'client_ca');
  if (client_auth === 'require' && mode !== 'require')
    problem('needs tls.mode require: a client in clear has no certificate', 'tls', 'client_auth');
  if (client_auth === 'want' && mode === 'disable')
    problem('has no effect while tls.mode is disable', 'tls', 'client_auth');
}

/** The same text for two relations of the same pairs of columns. */
function sameColumns(from: KeyColumns, to: KeyColumns): string {
  const pairs = from.columns.map((column, i) => JSON.stringify([column, to.columns[i]])).sort();
  return JSON.stringify([from.schema, from.table, to.schema, to.table, ...pairs]);
}

/** Whether two addresses, or the same directory named twice, cannot be listened on together. */
function sharePlace(one: string, other: string): boolean {
  if (one.startsWith('/') || other.startsWith('/')) return one === other;
  return collide(parseAddress(one), parseAddress(other));
}

function reaches(listening: string, host: string, port: number): boolean {
  if (listening.startsWith('/')) return false;
  const own = parseAddress(listening);
  if (own.port !== port) return false;
  return own.host === host || (takes(own, { host, port }) && isLoopback({ host, port }));
}
