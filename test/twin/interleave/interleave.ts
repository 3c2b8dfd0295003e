/** Generates interleavings, runs them on both sides, and counts what came of them. */
import fc from 'fast-check';
import { caseSeed } from '../fuzz.js';
import { AS_PLANNED, IN_TABLE_ORDER } from '../table-order.js';
import type { Kind } from './kind.js';
import { kindOf } from './kinds.js';
import { run, type Sides, type Trace } from './lockstep.js';
import { type Interleaving, type Schema, scenarios } from './scenario.js';
import { createSql } from './scenario-sql.js';
import type { Trials } from './trials.js';

export type Keys = 'emulated' | 'overridden';

export interface Found {
  readonly name: string;
  readonly kind: Kind;
  readonly keys: Keys;
  readonly schema: Schema;
  readonly interleaving: Interleaving;
  readonly trace: Trace;
}

export interface Options {
  readonly seed: number;
  /** Leaves out the scenarios before this one. */
  readonly first?: number;
  /** How many interleavings, at the least. */
  readonly runs: number;
  readonly keys: Keys | 'both';
  /** The transactions keep the snapshot that they began with. */
  readonly keepsSnapshot: boolean;
  /** The proxy looks at new keys (`cascade.guard: check`), and locks what it deletes first (`cascade.locks: rows`). */
  readonly guarded?: boolean;
  readonly found?: (found: Found) => void;
}

export interface Figures {
  interleavings: number;
  /** In how many a step waited for another client. */
  waited: number;
  /** Rows whose key references nothing, through the proxy. */
  orphans: number;
  /** How many ended as natively, and how many in each of the kinds of differences. */
  readonly kinds: Map<Kind, number>;
  readonly differences: Found[];
}

/** How many interleavings each scenario is run in. */
export const EACH = 8;

export async function interleave(sides: Sides, options: Options): Promise<Figures> {
  const figures: Figures = { interleavings: 0, waited: 0, orphans: 0, kinds: new Map(), differences: [] };
  for (let i = options.first ?? 0; figures.interleavings < options.runs; i++) {
    const [scenario] = fc.sample(scenarios(EACH, options.guarded ?? false), {
      seed: caseSeed(options.seed, i),
      numRuns: 1,
      unbiased: true,
    });
    if (!scenario) continue;
    const { schema, interleavings } = scenario;
    const keys = options.keys === 'both' ? (i % 2 ? 'emulated' : 'overridden') : options.keys;
    await Promise.all([
      sides.native.make(createSql(schema, 'native')),
      sides.proxied.make(createSql(schema, keys)),
    ]);
    for (const [at, interleaving] of interleavings.entries()) {
      if (figures.interleavings >= options.runs) break;
      const trace = await run(sides, schema, interleaving);
      const kind = await kindOf(trace, trials(sides, schema, interleaving, keys, options));
      figures.interleavings++;
      figures.orphans += trace.orphans.length;
      if (trace.turns.some(({ native, proxied }, n) => Math.max(native?.at ?? 0, proxied?.at ?? 0) > n + 1))
        figures.waited++;
      figures.kinds.set(kind, (figures.kinds.get(kind) ?? 0) + 1);
      if (kind === 'same') continue;
      const name = `seed ${options.seed}, scenario ${i}, interleaving ${at}`;
      const found = { name, kind, keys, schema, interleaving, trace };
      options.found?.(found);
      if (kind === 'unknown') figures.differences.push(found);
    }
  }
  return figures;
}

function trials(
  sides: Sides,
  schema: Schema,
  interleaving: Interleaving,
  keys: Keys,
  options: Pick<Options, 'keepsSnapshot' | 'guarded'>,
): Trials {
  const make = (which: Keys) => sides.proxied.make(createSql(schema, which));
  return {
    schema,
    keepsSnapshot: options.keepsSnapshot,
    guarded: options.guarded ?? false,
    again: (turns) => run(sides, schema, { ...interleaving, turns }),
    inTableOrder: async () => {
      await sides.native.sets(IN_TABLE_ORDER);
      const trace = await run(sides, schema, interleaving);
      await sides.native.sets(AS_PLANNED);
      return trace;
    },
    enforced:
      keys === 'overridden' || options.guarded
        ? undefined
        : async () => {
            await make('overridden');
            const enforced = trials(sides, schema, interleaving, 'overridden', options);
            const kind = await kindOf(await run(sides, schema, interleaving), enforced);
            await make(keys);
            return kind;
          },
  };
}
