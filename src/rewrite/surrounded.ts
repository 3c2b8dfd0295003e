/**
 * An expanded statement among statements of the proxy's own, in one string. Sent as a query of its own, a statement of the
 * proxy's would cost a round trip, and a cancel request of the client's could hit it.
 */
import type { Profile } from '../profiles/profile.js';
import { expandedSettings } from './own-settings.js';
import { planOf, SAVEPOINT } from './retries.js';
import type { Treatment } from './statement/treatment.js';
import type { Rewrite } from './text.js';

export interface Surrounded extends Rewrite {
  /** How many statements of the proxy's own come before the client's. */
  readonly before: number;
}

export interface Around {
  /** What the server can do; undefined where the statement runs under the client's settings. */
  readonly profile: Profile | undefined;
  /**
   * The executor says whether it is certain that the string is a transaction of its own. The settings are then local to it,
   * and nothing has to put them back.
   */
  readonly alone?: boolean;
  /** Under a savepoint of the proxy's. */
  readonly saved?: boolean;
}

/**
 * The rewrite, locks before it or not (locked.ts), with the proxy's own statements before it and those that undo them after it:
 *
 *     SAVEPOINT pgcascade_x; SELECT set_config('jit', 'off', true), …; WITH … DELETE …; SELECT set_config('jit', 'on', true), …;
 *     RELEASE SAVEPOINT pgcascade_x
 */
export function surrounded(rewrite: Rewrite, around: Around): Surrounded {
  const { profile, alone = false, saved = false } = around;
  const settings =
    planOf(rewrite.treatments) && profile !== undefined ? expandedSettings(profile) : undefined;
  const applied = alone ? (settings?.applyLocally ?? []) : settings ? [settings.apply] : [];
  const first = [...(saved ? [`SAVEPOINT ${SAVEPOINT}`] : []), ...applied];
  const before = first.map((sql) => `${sql}\n; `).join('');
  const restored = settings && !alone ? `\n; ${settings.restore}` : '';
  return {
    ...rewrite,
    sql: `${before}${rewrite.sql}${restored}${saved ? `\n; RELEASE SAVEPOINT ${SAVEPOINT}` : ''}`,
    treatments: [
      ...first.map(() => SWALLOW),
      ...rewrite.treatments,
      ...(restored === '' ? [] : [CLEAN_UP]),
      ...(saved ? [SWALLOW] : []),
    ],
    copied: rewrite.copied.map((run) => ({ ...run, sent: run.sent + before.length })),
    places: [],
    before: first.length + rewrite.treatments.findIndex(({ kind }) => kind !== 'lock'),
  };
}

const SWALLOW: Treatment = { kind: 'swallow' };
const CLEAN_UP: Treatment = { kind: 'cleanUp' };
