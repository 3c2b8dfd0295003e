/**
 * A text with what locks the tables of the children and the rows of its expanded statements, before each of them. The rewrite itself is without: the server is
 * asked first whether the locks on rows may be sent (src/session/execute/harmlessness.ts).
 */
import type { Locks } from '../render/single/locks.js';
import type { Spliced } from '../render/splice.js';
import { tableLocksOf } from './retries.js';
import { Sent } from './sent.js';
import { locksBefore } from './statement/program.js';
import type { Treatment } from './statement/treatment.js';
import type { Place, Rewrite } from './text.js';

/**
 *     DO 'BEGIN LOCK TABLE …; END'; SELECT … FOR UPDATE …; WITH … DELETE …
 *
 * @param locks those on rows that may be sent
 */
export function locked(rewrite: Rewrite, locks: ReadonlySet<Locks>): Rewrite {
  if (locks.size === 0 && tableLocksOf(rewrite.treatments).length === 0) return rewrite;
  const { sql, copied } = rewrite;
  const sent = new Sent();
  const treatments: Treatment[] = [];
  const places: Place[] = [];
  let read = 0;
  let runs = 0;
  // A run of the client's text ends where an expanded statement begins.
  const copyTo = (end: number) => {
    const first = runs;
    while ((copied[runs]?.sent ?? end) < end) runs++;
    const from = read;
    const own = copied.slice(first, runs).map((run) => ({ ...run, sent: run.sent - from }));
    sent.add(sql.slice(from, end), own);
    read = end;
  };
  rewrite.treatments.forEach((treatment, i) => {
    const place = rewrite.places[i] ?? { client: 0, sent: 0 };
    const own = treatment.kind === 'cascade' ? locksBefore(treatment.program) : undefined;
    if (treatment.kind === 'cascade') {
      const { tableLocks } = treatment;
      const before: readonly Spliced[] = [
        ...(tableLocks === undefined ? [] : [{ sql: tableLocks, copied: [] }]),
        ...(own && locks.has(own) ? own.statements : []),
      ];
      if (before.length > 0) copyTo(place.sent);
      for (const statement of before) {
        treatments.push({ kind: 'lock', cascade: treatment });
        places.push({ ...place, sent: sent.length });
        sent.add(`${statement.sql}\n; `, statement.copied, place.client);
      }
    }
    treatments.push(treatment);
    places.push({ ...place, sent: sent.length + place.sent - read });
  });
  copyTo(sql.length);
  return { ...rewrite, sql: sent.sql, copied: sent.copied, treatments, places };
}
