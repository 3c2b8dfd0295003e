/** The answer to a statement that several others have carried out: none of theirs is the client's. */
import type { CascadeTreatment } from '../../rewrite/statement/treatment.js';
import { commandComplete } from '../../wire/backend.js';
import type { Translation } from './results.js';

/** What the client's own DELETE took. */
export interface Taken {
  /** The client's rows, and what describes them, as messages. */
  readonly rows: Buffer;
  /** How many rows of the client's own table. */
  readonly deleted: number;
}

/**
 * Makes the answer, and tells whoever listens that the statement was executed.
 * @param translation that of the statement, made when its execution began: the cascade took the time since then
 */
export function ownAnswer(
  cascade: CascadeTreatment,
  { rows, deleted }: Taken,
  { tell }: Pick<Translation, 'tell'>,
): Buffer {
  tell({ kind: 'executed', treatment: cascade, at: performance.now(), counts: undefined, followed: [] });
  return Buffer.concat([rows, commandComplete(`${cascade.command ?? 'DELETE'} ${deleted}`)]);
}
