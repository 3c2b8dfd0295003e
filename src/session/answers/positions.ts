/** Finds where in the client's text an error is. The server counts characters, from 1. */
import type { PreparedSource, PrepareTreatment, Treatment } from '../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../rewrite/text.js';
import { afterCharacters, charactersIn } from '../../sql/encoding/characters.js';

type Source = Pick<Rewrite, 'text' | 'sql' | 'copied' | 'origin'>;

/**
 * From a position in the text that was sent, or in the one in which the client prepared what an EXECUTE executes (RevalidateCachedQuery in
 * plancache.c analyses that again), to one in the client's.
 * @param treatment of the statement that has failed
 * @param offset how many characters of the client's text stand before the one that was sent
 */
export function clientPosition(
  position: number,
  treatment: Treatment | undefined,
  rewrite: Rewrite,
  offset: number,
): number | undefined {
  const source = preparedSource(treatment, rewrite);
  if (source !== undefined && !isInValues(position, treatment, rewrite)) return positionIn(position, source);
  const at = positionIn(position, rewrite);
  return at === undefined ? undefined : at + offset;
}

/** The text in which the errors of a statement are that was prepared; undefined for all others. */
function preparedSource(treatment: Treatment | undefined, rewrite: Rewrite): Source | undefined {
  switch (treatment?.kind) {
    case 'cascade':
    case 'guarded':
    case 'swallow':
      return treatment.source;
    case 'prepare':
      return treatment.again && { ...treatment, origin: originOf(treatment, rewrite) };
    case 'forward':
    case 'cleanUp':
    case 'lock':
    case 'followUp':
    case 'truncate':
    case 'refused':
    case 'release':
    case undefined:
      return undefined;
    default:
      return treatment satisfies never;
  }
}

/** Whether a position can be that of an error in the values of the EXECUTE itself. */
function isInValues(position: number, treatment: Treatment | undefined, rewrite: Rewrite): boolean {
  if (treatment?.kind !== 'cascade' && treatment?.kind !== 'guarded') return false;
  const { sql, treatments, places } = rewrite;
  const begins = places[treatments.indexOf(treatment)]?.sent ?? 0;
  return (
    treatment.source?.hasValues === true &&
    position - 1 >= charactersIn(sql, 0, begins) &&
    position <= charactersIn(sql, 0, sql.length)
  );
}

function positionIn(position: number, { text, sql, copied, origin }: Source): number | undefined {
  const at = position - 1 - (origin?.sent ?? 0);
  if (at < 0) return undefined;
  const index = afterCharacters(sql, at);
  const run = copied.find(({ sent, length }) => index >= sent && index < sent + length);
  return run && charactersIn(text, 0, index - run.sent + run.client) + (origin?.client ?? 0) + 1;
}

/**
 * What stands before a PREPARE; and before the client's own, where the proxy has prepared it again before an EXECUTE.
 * @param offset as for clientPosition
 */
export function originOf(
  treatment: PrepareTreatment,
  { text, sql, treatments, places }: Rewrite,
  offset = 0,
): PreparedSource['origin'] {
  const { client = 0, sent = 0 } = places[treatments.indexOf(treatment)] ?? {};
  const { again } = treatment;
  return {
    client: again?.client ?? charactersIn(text, 0, client) + offset,
    sent: charactersIn(sql, 0, sent + (again?.within ?? 0)),
  };
}
