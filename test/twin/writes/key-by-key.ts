/** Of several rules that a change of what keys reference breaks, another one is named here: what comes of it is done key by key. */
import type { BrokenRule } from '../broken-rule.js';
import type { Key, Schema, Table } from '../schema.js';
import { isIn } from './other-part.js';
import { writtenRelations } from './write-forms.js';
import type { WriteSpec } from './write-spec.js';

/**
 * Whether the proxy names a rule that comes earlier in its own order: keys that the statement itself writes; then, after it, what
 * keys reference still and what is changed there, level by level, from the oldest key on; then keys of what was changed there, and what
 * is deferred. Natively one row is done after the other.
 * Of one new key another row may be named.
 * @param one what is natively broken
 * @param other what the proxy says is broken
 */
export function brokenKeyByKey(one: BrokenRule, other: BrokenRule, schema: Schema, spec: WriteSpec): boolean {
  const changes = new Changes(schema, spec);
  const [native, proxied] = [changes.phasesOf(one), changes.phasesOf(other)];
  if (isSame(one, other)) return changes.mayComeAgain(one);
  const isLater = native.some((late) => late !== 'own' && proxied.some((each) => comes(each) <= comes(late)));
  if (!isLater) return false;
  // Of one row the oldest key is natively the first too.
  const isOfFirstLevel = [one, other].every((rule) => changes.isOfFirstLevel(rule));
  return !isOfFirstLevel || placeOf(other, schema) < placeOf(one, schema);
}

const PHASES = ['own', 'after', 'last'] as const;
type Phase = (typeof PHASES)[number];

function comes(phase: Phase): number {
  return PHASES.indexOf(phase);
}

/** The tables whose rows the statement changes, and those whose rows ON UPDATE changes. */
class Changes {
  readonly #written: ReadonlySet<Table>;
  readonly #followed: ReadonlySet<Table>;

  constructor(schema: Schema, spec: WriteSpec) {
    const { tables, keys } = schema;
    const heirs = (above: Table) => tables.filter((each) => isHeir(each, above));
    this.#written = new Set(writtenRelations(schema, spec).flatMap(({ table }) => heirs(table.root.table)));
    const followed = new Set<Table>();
    for (const reached of [this.#written, followed])
      for (const table of reached)
        for (const { from, to, onUpdate } of keys)
          if (to.table === table && ACTING.has(onUpdate))
            for (const each of heirs(from.table)) followed.add(each);
    this.#followed = followed;
  }

  /** Where in the proxy's order a rule may come; nowhere if no change of the statement's breaks it. */
  phasesOf({ key, unreferenced, table }: BrokenRule): readonly Phase[] {
    if (key === undefined) {
      const isFollowed = [...this.#followed].some((each) => isIn(each.root, table));
      return isFollowed ? ['after'] : [];
    }
    if (unreferenced) {
      const [own, followed] = [this.#written, this.#followed].map((tables) => tables.has(key.from.table));
      return [...(own ? (['own'] as const) : []), ...(followed ? (['last'] as const) : [])];
    }
    if (!this.#written.has(key.to.table) && !this.#followed.has(key.to.table)) return [];
    return [isDeferred(key) ? 'last' : 'after'];
  }

  /**
   * The statement's own new key: natively that of a row which ON UPDATE changes once more is looked at when this has come, as of a row version
   * that is gone nothing is looked at (RI_FKey_check), and by then that of another row may have failed.
   */
  mayComeAgain({ key, unreferenced }: BrokenRule): boolean {
    if (key === undefined || !unreferenced) return false;
    return this.#written.has(key.from.table) && this.#followed.has(key.from.table);
  }

  /** A row that the statement itself has changed is referenced still. */
  isOfFirstLevel({ key, unreferenced }: BrokenRule): boolean {
    if (key === undefined || unreferenced || isDeferred(key)) return false;
    return this.#written.has(key.to.table) && !this.#followed.has(key.to.table);
  }
}

const ACTING: ReadonlySet<Key['onUpdate']> = new Set(['CASCADE', 'SET NULL', 'SET DEFAULT']);

function isDeferred({ timing }: Key): boolean {
  return timing === 'DEFERRABLE INITIALLY DEFERRED';
}

function isHeir(table: Table, above: Table): boolean {
  return table === above || (table.inherits !== undefined && isHeir(table.inherits, above));
}

function isSame(one: BrokenRule, other: BrokenRule): boolean {
  const alike = one.key === other.key && one.unreferenced === other.unreferenced;
  return alike && (one.key !== undefined || (one.code === other.code && one.table === other.table));
}

function placeOf({ key }: BrokenRule, { keys }: Schema): number {
  return key ? keys.indexOf(key) : -1;
}
