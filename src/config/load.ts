import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { readPresented } from '../credentials/presented.js';
import { emptyVariables, environmentLayers, type Layer, unknownVariables } from './environment.js';
import { leafPaths } from './json-schema.js';
import { ConfigError, issueMessage, issueProblems, keyPath, type Problem } from './problems.js';
import { type Config, configSchema } from './schema.js';
import { quote } from './values/values.js';
import { parseYaml, type YamlText } from './yaml-text.js';

/** The keys that a command line can set, as given there. */
export interface Flags {
  readonly config?: string | undefined;
  readonly listen?: readonly string[] | undefined;
  readonly upstream?: string | undefined;
  readonly profile?: string | undefined;
  /** The database that a command connects to, which takes precedence over graph.url. */
  readonly url?: string | undefined;
}

/** Where a configuration is read from. Relative paths are relative to `cwd`. */
export interface ConfigInput {
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The file had something in it when it was read before: one that has nothing by now, or is gone, may be half written. */
  readonly hadKeys?: boolean;
}

const DEFAULT_FILE = 'pgcascade.yaml';
/** The keys whose values may stand in files of their own, as they can have a password in them. */
const URLS = [['upstream'], ['graph', 'url']];
/** The keys whose values are paths of files: a relative one begins where the configuration is read. */
const FILES = [
  ['tls', 'cert'],
  ['tls', 'key'],
  ['tls', 'client_ca'],
  ['tls', 'client_crl'],
  ['auth', 'users'],
  ['auth', 'map'],
];

/**
 * Reads the configuration: flags over PGCASCADE_* over the file over the defaults. The result is frozen.
 * @throws ConfigError with every problem found.
 */
export function loadConfig(input: ConfigInput): Config {
  return readConfig(input).config;
}

/**
 * As {@link loadConfig}, with the names of its sources: the file, variables, flags; and whether the file has something in it.
 * @throws ConfigError with every problem found.
 */
export function readConfig(input: ConfigInput): {
  readonly config: Config;
  readonly sources: readonly string[];
  readonly hasKeys: boolean;
} {
  const { flags, env, cwd } = input;
  const keys = leafPaths();
  const file = readConfigFile(input);
  const layers = [...environmentLayers(env, keys), ...flagLayers(flags)];
  const base = file?.yaml.value ?? {};

  const early = [
    ...(file?.yaml.problems.map(({ line, text }) => `${file.label}:${line}: ${text}`) ?? []),
    ...emptyVariables(env, keys),
    ...unknownVariables(env, keys),
  ];
  // The rest of a broken file would only report problems that the file does not have.
  if (file && file.yaml.problems.length > 0) throw new ConfigError(early.join('\n'));
  if (file && !isMapping(base))
    throw new ConfigError(`${file.label}:1: ${quote(base)} is not a mapping of keys`);

  const tree = layers.reduce<unknown>((node, { path, value }) => assigned(node, path, value), base);
  const urls = URLS.reduce<ResolvedUrls>((each, path) => resolveUrl(each, path, cwd), {
    tree,
    problems: [],
  });
  const whole = FILES.reduce((node, path) => withAbsolute(node, path, cwd), withSchemaFiles(urls.tree, cwd));
  const result = configSchema.safeParse(whole, { error: issueMessage });
  const found = [
    ...urls.problems,
    ...(result.error?.issues.flatMap(issueProblems) ?? []),
    ...(result.data ? tlsFileProblems(result.data) : []),
  ];
  const problems = [...early, ...located(found, layers, file)];
  if (!result.success || problems.length > 0) throw new ConfigError(problems.join('\n'));

  const sources = [...(file ? [file.label] : []), ...layers.map(({ label }) => label)];
  return {
    config: deepFreeze(result.data),
    sources,
    hasKeys: file !== undefined && file.yaml.value !== null,
  };
}

interface ConfigFile {
  readonly label: string;
  readonly yaml: YamlText;
}

function readConfigFile(input: ConfigInput): ConfigFile | undefined {
  const { flags, env, cwd } = input;
  // An empty variable is reported by emptyVariables; the file is still read for its problems.
  const named = flags.config ?? (env.PGCASCADE_CONFIG?.trim() ? env.PGCASCADE_CONFIG : undefined);
  const label = named ?? DEFAULT_FILE;
  if (label.trim() === '') throw new ConfigError('--config: is empty: name a file, or leave it out');
  // Not repeated: it may have passwords in it.
  if (label.trim().includes('\n'))
    throw new ConfigError(
      `${flags.config === undefined ? 'PGCASCADE_CONFIG' : '--config'}: is what a file should have, and not its path: name the file`,
    );
  const text = readConfigText(resolve(cwd, label), label, named !== undefined || input.hadKeys === true);
  if (text === undefined) return undefined;
  const yaml = parseYaml(text);
  // Taken for all defaults it would take the keys along that only the file has.
  if (input.hadKeys && yaml.value === null && yaml.problems.length === 0)
    throw new ConfigError(`${label}: has nothing in it any more: write {} where all is to be as by default`);
  return { label, yaml };
}

/** @returns undefined where there is no such file, and none is needed. @throws ConfigError */
function readConfigText(path: string, label: string, isNeeded: boolean): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isNeeded && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`${label}: cannot be read: ${systemMessage(error)}`);
  }
}

/** The key that each flag sets, and how. */
const FLAG_LAYERS: Readonly<Record<keyof Omit<Flags, 'config'>, (flags: Flags) => Layer>> = {
  listen: ({ listen }) => ({
    path: ['listen'],
    label: '--listen',
    value: listen?.length === 1 ? listen[0] : listen,
  }),
  upstream: ({ upstream }) => ({ path: ['upstream'], label: '--upstream', value: upstream }),
  profile: ({ profile }) => ({ path: ['profile'], label: '--profile', value: profile }),
  url: ({ url }) => ({ path: ['graph', 'url'], label: 'URL', value: url }),
};

function flagLayers(flags: Flags): readonly Layer[] {
  return Object.values(FLAG_LAYERS)
    .map((layerOf) => layerOf(flags))
    .filter(({ value }) => value !== undefined);
}

interface ResolvedUrls {
  readonly tree: unknown;
  readonly problems: readonly Problem[];
}

/** Such a URL can stand in a file of its own, as containers mount secrets: `file:/run/secrets/upstream`. */
function resolveUrl({ tree, problems }: ResolvedUrls, path: readonly string[], cwd: string): ResolvedUrls {
  const value = valueAt(tree, path);
  if (typeof value !== 'string' || !value.startsWith('file:')) return { tree, problems };
  const file = resolve(cwd, value.slice('file:'.length));
  try {
    return { tree: assigned(tree, path, readFileSync(file, 'utf8').trim()), problems };
  } catch (error) {
    const text = `${file} cannot be read: ${systemMessage(error)}`;
    return { tree: assigned(tree, path, undefined), problems: [...problems, { path, text }] };
  }
}

function withAbsolute(tree: unknown, path: readonly string[], cwd: string): unknown {
  const value = valueAt(tree, path);
  return typeof value === 'string' && value !== '' ? assigned(tree, path, resolve(cwd, value)) : tree;
}

function withSchemaFiles(tree: unknown, cwd: string): unknown {
  const files = valueAt(tree, ['cascade', 'files']);
  if (!Array.isArray(files)) return tree;
  return assigned(
    tree,
    ['cascade', 'files'],
    files.map((each: unknown) => withAbsolute(each, ['path'], cwd)),
  );
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, step) => (isMapping(node) ? node[step] : undefined), tree);
}

function tlsFileProblems({ tls }: Config): readonly Problem[] {
  if (tls.mode === 'disable') return [];
  const presented = readPresented(tls);
  if (presented.kind === 'read') return [];
  return presented.problems.map(({ key, text }) => ({ path: ['tls', key], text }));
}

/** Puts the place before each problem, and those of the file in the order of its lines. */
function located(found: readonly Problem[], layers: readonly Layer[], file?: ConfigFile): readonly string[] {
  return found
    .map(({ path, text }) => {
      const layer = layers.findLast((each) => each.path.every((step, index) => path[index] === step));
      if (layer) return { line: 0, text: [layer.label, keyPath(path.slice(layer.path.length)), text] };
      const line = file?.yaml.lineOf(path);
      const place = line === undefined ? '' : `${file?.label}:${line}`;
      return { line: line ?? 0, text: [place, keyPath(path), text] };
    })
    .sort((a, b) => a.line - b.line)
    .map(({ text }) => text.filter(Boolean).join(': '));
}

function assigned(node: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const mapping = node ?? {};
  // A wrong type stays, so that it is reported as such.
  if (!isMapping(mapping)) return node;
  return { ...mapping, [step]: assigned(mapping[step], rest, value) };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function systemMessage(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
