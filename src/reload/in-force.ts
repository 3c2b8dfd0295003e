/** What is made of the configuration, and can be made again while the proxy runs. */
import { isDeepStrictEqual } from 'node:util';
import type { Login } from '../auth/login.js';
import { openLogin } from '../auth/open-login.js';
import type { Config } from '../config/schema.js';
import { GraphCache, type Watch } from '../graph/cache.js';
import type { ConfiguredKey } from '../graph/catalog/key-settings.js';
import { type TlsOffer, tlsOffer } from '../net/client-connection.js';
import type { Logger } from '../observe/log.js';
import { mostClients, openFileLimit } from '../open-files.js';
import { relationsWithFiles } from '../schema-files/file-relations.js';
import type { Policy } from '../session/policy/policy.js';

/** Immutable: a reload puts another one in its place, as a whole. */
export interface InForce {
  readonly config: Config;
  readonly policy: Policy;
  readonly login: Login;
  /** Undefined where clients get no TLS. */
  readonly tls: TlsOffer | undefined;
  /** The number of clients that are served at a time. */
  readonly connections: number;
}

interface InForceOptions {
  /** What was in force before. */
  readonly before?: InForce;
  readonly log: Logger;
  /** What tells of changes of the schema, where a configuration wants that. */
  readonly watch: (config: Config) => Promise<Watch | undefined>;
}

/**
 * Reads the files that the configuration names, too: certificates, users and schemas.
 * @throws an Error that says what is wrong: then nothing has changed
 */
export async function putInForce(config: Config, { before, log, watch }: InForceOptions): Promise<InForce> {
  const login = await openLogin(config.auth, config.limits.message_bytes, log);
  const tls = tlsOffer(config.tls);
  const { relations, files } = config.cascade;
  const all = await relationsWithFiles(relations, files);
  const watching = await watch(config);
  return {
    config,
    policy: policyOf(config, all, before, () => new GraphCache(config.graph.refresh, watching)),
    login,
    tls,
    connections: roomFor(config.limits.connections, log),
  };
}

/**
 * The one before, where it says the same: then sessions keep what they know. Its graphs are kept where they would be made by the same
 * rules, and told of changes by the same listener: there is none as long as cascades are switched off.
 */
function policyOf(
  { cascade, graph }: Config,
  relations: readonly ConfiguredKey[],
  before: InForce | undefined,
  newGraphs: () => GraphCache,
): Policy {
  const { mode, declared, overrides, unsupported, code, triggers, guard, copy, locks, strategy, atomic } =
    cascade;
  const keySettings = { declared, overrides, relations };
  const statements = {
    active: mode === 'on',
    reject: unsupported === 'reject',
    refusesCode: code === 'reject',
    triggers,
    guard,
    verifiesCopies: copy === 'verify',
    locks,
    batchRows: cascade.batch_rows ?? 0,
    onLimit: cascade.on_limit,
    strategy,
    atomic,
  } as const;
  const isSameGraph =
    before !== undefined &&
    isDeepStrictEqual(before.policy.keySettings, keySettings) &&
    before.config.graph.refresh === graph.refresh &&
    before.policy.active === statements.active;
  if (!isSameGraph) return { keySettings, graphs: newGraphs(), ...statements };
  const policy = { keySettings: before.policy.keySettings, graphs: before.policy.graphs, ...statements };
  return hasSameValues(policy, before.policy) ? before.policy : policy;
}

function hasSameValues(one: Policy, other: Policy): boolean {
  return (Object.keys(one) as (keyof Policy)[]).every((key) => one[key] === other[key]);
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
