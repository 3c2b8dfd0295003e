/** The overrides of the configuration over the keys of one catalog. Pure. */
import type { Pace } from '../pace.js';
import type { Override } from './catalog/key-settings.js';
import type { ForeignKey } from './model.js';
import type { GraphProblem } from './problems.js';

/** @param name `schema.table.constraint` @returns all overrides that match it, the one that decides first */
export function overridesOf(name: string, overrides: readonly Override[]): readonly Override[] {
  return overrides.filter((override) => globOf(override).test(name));
}

/** `schema.table.constraint`, by which overrides know a key: the table is the referencing one. */
export function overriddenName({ referencing, name }: Pick<ForeignKey, 'referencing' | 'name'>): string {
  return `${referencing.schema}.${referencing.name}.${name}`;
}

/**
 * @param keys all keys of the catalog, oldest first
 * @returns overrides that match nothing, and pairs of which the second one has no say over a key that it matches
 */
export async function overrideProblems(
  keys: readonly ForeignKey[],
  overrides: readonly Override[],
  pace: Pace,
): Promise<readonly GraphProblem[]> {
  const matched = new Set<Override>();
  const contradictions = new Map<string, GraphProblem>();
  const problems: GraphProblem[] = [];
  await pace.each(keys, (key) => {
    const name = overriddenName(key);
    const [first, ...others] = overridesOf(name, overrides);
    if (first === undefined) return;
    matched.add(first);
    for (const other of others) {
      matched.add(other);
      const pair = `${first.match}\0${other.match}\0${other.on_delete}`;
      if (other.on_delete === first.on_delete || contradictions.has(pair)) continue;
      const text = `cascade.overrides: "${first.match}" (${first.on_delete}) and "${other.match}" (${other.on_delete}) both match ${name}: the first of them decides`;
      contradictions.set(pair, { kind: 'contradicting overrides', text });
    }
    if (key.period)
      problems.push({
        kind: 'period',
        text: `cascade.overrides: "${first.match}" matches ${name}, which has a PERIOD: every DELETE from ${key.referenced.schema}.${key.referenced.name} is refused`,
      });
  });
  const unmatched = overrides
    .filter((override) => !matched.has(override))
    .map(({ match }): GraphProblem => {
      return { kind: 'unmatched override', text: `cascade.overrides: "${match}" matches no foreign key` };
    });
  return [...unmatched, ...contradictions.values(), ...problems];
}

const globs = new WeakMap<Override, RegExp>();

function globOf(override: Override): RegExp {
  const known = globs.get(override) ?? glob(override.match);
  globs.set(override, known);
  return known;
}

/** `*` is any run of characters, `?` one: of the whole name, dots included. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}
