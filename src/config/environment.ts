import { nearest } from './problems.js';
import { parseYaml } from './yaml-text.js';

/** A value from a flag or a variable, over the one in the file. */
export interface Layer {
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where it came from, as messages name it: `--listen`, `PGCASCADE_LISTEN`. */
  readonly label: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

// Kubernetes describes every service to every pod of its namespace. A service named pgcascade, or pgcascade-admin,
// must not keep the proxy from starting.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
const SERVICE_LINK =
  /^PGCASCADE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_PORT = /^PGCASCADE_(\w+_)?PORT$/;

/** Gives the variable of a key: `PGCASCADE_GRAPH_REFRESH` of `['graph', 'refresh']`. */
export function variableOf(path: readonly string[]): string {
  return `PGCASCADE_${path.join('_').toUpperCase()}`;
}

/**
 * Gives a layer for each key that is set in the environment. Values are YAML, so that lists and objects can be given;
 * what is not YAML (`[::1]:6432`) is text. An empty variable gives none: emptyVariables has a problem for it.
 */
export function environmentLayers(env: Environment, keys: readonly (readonly string[])[]): readonly Layer[] {
  return keys.flatMap((path) => {
    const label = variableOf(path);
    const text = env[label];
    if (text === undefined || isEmpty(text)) return [];
    const yaml = parseYaml(text);
    return [{ path, label, value: yaml.problems.length > 0 ? text : yaml.value }];
  });
}

/**
 * Gives a problem for each variable of a key, and for PGCASCADE_CONFIG, that is set but empty: a secret that is missing
 * must not turn into the default.
 */
export function emptyVariables(env: Environment, keys: readonly (readonly string[])[]): readonly string[] {
  return variables(keys)
    .filter((variable) => isEmpty(env[variable]))
    .map((variable) => `${variable}: is empty: give it a value, or do not set it`);
}

/** Gives a problem for each PGCASCADE_ variable that belongs to no key. */
export function unknownVariables(env: Environment, keys: readonly (readonly string[])[]): readonly string[] {
  const known = variables(keys);
  return Object.entries(env).flatMap(([variable, value]) => {
    if (!variable.startsWith('PGCASCADE_') || known.includes(variable)) return [];
    if (SERVICE_LINK.test(variable) || (SERVICE_PORT.test(variable) && value?.includes('://'))) return [];
    const near = meant(variable, known);
    return [`${variable}: unknown variable${near === undefined ? '' : `, did you mean ${near}?`}`];
  });
}

/** The variable that was probably meant. Without the prefix, which all have; half a name counts where one variable begins with it. */
function meant(variable: string, known: readonly string[]): string | undefined {
  const begun = known.filter((name) => name.startsWith(`${variable}_`));
  if (begun.length > 0) return begun.length === 1 ? begun[0] : undefined;
  const rest = (name: string) => name.slice('PGCASCADE_'.length);
  const near = nearest(rest(variable), known.map(rest));
  return near === undefined ? undefined : `PGCASCADE_${near}`;
}

function variables(keys: readonly (readonly string[])[]): readonly string[] {
  return ['PGCASCADE_CONFIG', ...keys.map(variableOf)];
}

function isEmpty(text: string | undefined): boolean {
  return text?.trim() === '';
}
