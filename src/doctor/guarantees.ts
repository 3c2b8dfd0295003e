/** What holds with each pair of `cascade.guard` and `cascade.locks`. docs/configuration.md has the same as a table. */
import type { Config } from '../config/schema.js';

type Guard = Config['cascade']['guard'];
type Locks = Config['cascade']['locks'];

/** For keys that no server enforces and pgcascade performs, in READ COMMITTED, where whoever deletes goes through pgcascade. */
export interface Guarantee {
  /** What becomes of a key that names nothing, of a writer that goes through pgcascade: "passes". */
  readonly unknownKey: string;
  /** What becomes of a child that is committed while its parent is deleted, and was written through pgcascade: "may be left". */
  readonly throughProxy: string;
  /** The same of a child that was written past pgcascade. */
  readonly pastProxy: string;
}

const PASSES = 'passes';
const MAY_BE_LEFT = 'may be left';
const NEVER_LEFT = 'is never left';

/** Of writers at whose keys nobody looks. */
const UNGUARDED: Readonly<Record<Locks, string>> = {
  none: MAY_BE_LEFT,
  rows: 'may be left, unless its writer has locked the parent (`FOR KEY SHARE`)',
  tables: 'may be left, if it was written when the `DELETE` had its locks',
};

/** The DELETE looks after its locks, which the locks of the guard keep waiting. */
const GUARDED: Readonly<Record<Locks, string>> = { none: MAY_BE_LEFT, rows: NEVER_LEFT, tables: NEVER_LEFT };

export function guaranteeOf(guard: Guard, locks: Locks): Guarantee {
  return {
    unknownKey: guard === 'check' ? 'is refused (23503)' : PASSES,
    throughProxy: (guard === 'off' ? UNGUARDED : GUARDED)[locks],
    pastProxy: UNGUARDED[locks],
  };
}

/** A guarantee in sentences. */
export function guaranteeInWords({ unknownKey, throughProxy, pastProxy }: Guarantee): string {
  const child = 'A child that is committed while its parent is deleted';
  const children =
    throughProxy === pastProxy
      ? `${child} ${throughProxy}.`
      : `${child} ${throughProxy} if it was written through pgcascade; one that was written past it ${pastProxy}.`;
  // What passes through pgcascade passes past it, too.
  const where = unknownKey === PASSES ? '' : ' if it is written through pgcascade';
  return `A key that names nothing ${unknownKey}${where}. ${children}`;
}
