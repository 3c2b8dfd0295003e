/** What a guarded statement and its follow-ups look at, by the numbers in their markers. */
import type { ForeignKey } from '../../graph/model.js';
import { checkMarker } from '../violations.js';

/**
 * Why a guarded statement stops itself: the number in its marker is the place of one of these in a list. `new key` and `mixed key`: a
 * row has got a key that references nothing, or is null in part. `left key`: a row has left a key that is still referenced.
 * `referenced key`: a row has left a key whose ON UPDATE cannot be carried out, or whose value cannot be handed on to the
 * follow-ups. `old snapshot`: the transaction cannot see all rows that reference a left key. `deleted key`:
 * a row has got a key that references what the same statement deletes.
 */
export interface GuardCheck {
  readonly kind: 'new key' | 'mixed key' | 'left key' | 'referenced key' | 'old snapshot' | 'deleted key';
  readonly key: ForeignKey;
}

export class Checks {
  readonly all: GuardCheck[] = [];

  /** @returns its number */
  add(kind: GuardCheck['kind'], key: ForeignKey): number {
    return this.all.push({ kind, key }) - 1;
  }

  /** `WHEN … THEN (marker)`: a case that stops the statement. */
  stop(kind: GuardCheck['kind'], key: ForeignKey, when: string, oid: number): string {
    return `WHEN ${when} THEN ${checkMarker(this.add(kind, key), String(oid), [])}::pg_catalog.int4 IS NULL`;
  }
}
