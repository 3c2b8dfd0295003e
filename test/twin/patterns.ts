/** Keys that act on one row, as real schemas have them: each pattern is some keys, oldest first. */
import type { Action, KeySpec } from './schema-spec.js';

/**
 * `one and both`: `(a)` and `(a, b)` to one table; `both and one` the other way around.
 * `full`: two columns MATCH FULL, which a SET key changes.
 * `referenced`: a column that SET NULL changes, and a key that references it ON UPDATE CASCADE.
 * `default, then cascade`: SET DEFAULT, and a younger CASCADE to a table that goes with what the older one references.
 * In schemas that are written into (WRITTEN_PATTERNS) also `circle`: two tables whose keys are each other's, by ON UPDATE CASCADE; and `tenants`: a
 * tree whose key has a column of the rows' own key.
 */
export const PATTERNS = [
  'one and both',
  'both and one',
  'full',
  'referenced',
  'default, then cascade',
] as const;
export const WRITTEN_PATTERNS = [...PATTERNS, 'circle', 'circle', 'tenants', 'tenants'] as const;

export interface Pattern {
  readonly kind: (typeof WRITTEN_PATTERNS)[number];
  /** What all of its keys have in common. */
  readonly key: KeySpec;
  /** The tables: each of the next keys' is another one if there are enough. */
  readonly places: readonly [number, number, number];
  readonly action: Action;
}

export function keysOf({ kind, key, places: [child, parent, between], action }: Pattern): readonly KeySpec[] {
  const base: KeySpec = {
    ...key,
    fromPart: null,
    toPart: null,
    own: false,
    shared: null,
    notNull: false,
    full: false,
  };
  const from = { ...base, from: child, to: parent };
  switch (kind) {
    case 'one and both':
      return [
        { ...from, target: ID, action: 'SET NULL' },
        { ...from, target: PAIR, action, shared: 'newest' },
      ];
    case 'both and one':
      return [
        { ...from, target: PAIR, action },
        { ...from, target: ID, action: 'SET NULL', shared: 'newest' },
      ];
    case 'full':
      return [{ ...from, target: PAIR, action: action === 'CASCADE' ? 'SET DEFAULT' : action, full: true }];
    case 'referenced':
      return [
        { ...from, target: CODE, action: 'SET NULL', own: true },
        { ...base, from: between, to: child, target: CODE, action: key.action, onUpdate: 'CASCADE' },
      ];
    case 'circle': {
      const own = { target: CODE, action: 'CASCADE', onUpdate: 'CASCADE', own: true } as const;
      return [
        { ...from, ...own },
        { ...base, ...own, from: parent, to: child },
      ];
    }
    case 'tenants':
      return [{ ...from, to: child, target: PAIR, action: 'CASCADE', onUpdate: 'CASCADE', own: true }];
    case 'default, then cascade':
      return [
        { ...base, from: between, to: parent, target: ID, action: 'CASCADE' },
        { ...from, target: ID, action: 'SET DEFAULT' },
        { ...base, from: child, to: between, target: ID, action: 'CASCADE' },
      ];
  }
}

/** Their places among what a table of any kind has that is unique. */
const [ID, CODE, PAIR] = [0, 1, 2];
