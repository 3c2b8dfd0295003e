/** Makes the answer to a statement that several others have carried out: none of their answers is the client's. */
import type { CountedRows } from '../../render/single/counts.js';
import type { CascadeTreatment } from '../../rewrite/statement/treatment.js';
import { commandComplete } from '../../wire/backend.js';
import type { Translation } from './results.js';

/** The rows that a statement took. */
export interface Taken {
  /** The client's rows, and what describes them, as messages; undefined without a RETURNING. */
  readonly rows?: Buffer;
  /** How many rows of the client's own table. */
  readonly deleted: number;
  /** How many of each table, where they are counted. */
  readonly taken?: readonly CountedRows[] | undefined;
}

/**
 * Makes the answer, and tells the listeners that the statement was executed.
 * @param translation that of the statement, made when its execution began: the cascade took the time since then
 */
export function ownAnswer(
  cascade: CascadeTreatment,
  { rows, deleted, taken }: Taken,
  { tell }: Pick<Translation, 'tell'>,
): Buffer {
  const at = performance.now();
  tell({ kind: 'executed', treatment: cascade, at, counts: undefined, taken, followed: [] });
  return Buffer.concat([
    ...(rows ? [rows] : []),
    commandComplete(`${cascade.command ?? 'DELETE'} ${deleted}`),
  ]);
}
