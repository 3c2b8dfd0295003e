/**
 * The columns that a prepared statement returns. PostgreSQL fixes them when the statement is prepared: where they have
 * changed since, it refuses to execute the statement, with an error by which drivers know that they have to prepare it
 * again (RevalidateCachedQuery in plancache.c). A statement that the proxy prepares anew, because another text has to be
 * sent for it now, would return other columns without a word.
 */
import { readColumns } from '../wire/backend.js';
import type { Message } from '../wire/reader.js';
import { Backend } from '../wire/types.js';
import type { ReplyHandler } from './replies.js';
import type { Rewrite } from './rewrite.js';

/** What a statement returned when the client prepared it: known as soon as the server has described it. */
export class ResultColumns {
  #columns: readonly string[] | undefined;

  /** Whether the statement was described, and returns rows. */
  get returnsRows(): boolean {
    return this.#columns !== undefined && this.#columns.length > 0;
  }

  /** @param columns as readColumns gives them */
  areThese(columns: readonly string[]): boolean {
    return (
      columns.length === this.#columns?.length && columns.every((each, i) => each === this.#columns?.[i])
    );
  }

  /** The handler for the answer to a Describe of the proxy's own, of the statement as it was first sent. */
  described(rewrite: Rewrite): ReplyHandler {
    return {
      receive: (message) => {
        if (message.type === Backend.ErrorResponse) return 'forward';
        this.#columns = columnsIn(message, rewrite) ?? this.#columns;
        return 'swallow';
      },
    };
  }
}

/** The client's columns in an answer to Describe: none where it is NoData, undefined where it is another message. */
export function columnsIn(message: Message, rewrite: Rewrite): readonly string[] | undefined {
  const [part] = rewrite.parts;
  const answers = part?.kind === 'cascade' ? part.answers : undefined;
  if (
    message.type === Backend.NoData ||
    (message.type === Backend.RowDescription && answers?.kind === 'count')
  )
    return [];
  if (message.type !== Backend.RowDescription) return undefined;
  return readColumns(message, answers?.kind === 'rows' ? answers.hidden : 0);
}
