/** What a configuration that is read again changes in the one that holds, key by key. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { combinationProblems } from '../config/combinations.js';
import { leafPaths } from '../config/json-schema.js';
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';

export interface Merged {
  readonly config: Config;
  /** The keys whose new values hold from now on: `cascade.mode`. */
  readonly changed: readonly string[];
  /** The keys whose new values need a restart. */
  readonly restart: readonly string[];
}

/**
 * What is listened on, what is connected to and what is open already stays as it is (docs/operations.md has the table).
 * @throws ConfigError where what needs a restart and what is changed cannot work together
 */
export function merged(running: Config, read: Config): Merged {
  const config: Config = {
    ...read,
    listen: running.listen,
    upstream: running.upstream,
    profile: running.profile,
    graph: { ...read.graph, url: running.graph.url },
    limits: { ...read.limits, ...keptLimits(running.limits) },
    admin: { ...read.admin, listen: running.admin.listen },
    audit: running.audit,
    auth: { ...read.auth, mode: running.auth.mode },
    log: { ...read.log, format: running.log.format },
  };
  const restart = differing(config, read);
  const problems = restart.length > 0 ? combinationProblems(config) : [];
  if (problems.length > 0)
    throw new ConfigError(`restart for ${restart.join(', ')}. As it is running:\n${problems.join('\n')}`);
  return { config, changed: differing(running, config), restart };
}

function keptLimits({
  message_bytes,
  idle_timeout,
  idle_in_transaction,
  tcp_keepalives_idle,
}: Config['limits']): Partial<Config['limits']> {
  return { message_bytes, idle_timeout, idle_in_transaction, tcp_keepalives_idle };
}

function differing(one: Config, other: Config): readonly string[] {
  return leafPaths()
    .filter((path) => !isDeepStrictEqual(valueAt(one, path), valueAt(other, path)))
    .map((path) => path.join('.'));
}

function valueAt(config: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, step) => (Object(node) as Record<string, unknown>)[step], config);
}
