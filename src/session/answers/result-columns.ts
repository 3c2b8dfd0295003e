/**
 * The columns that a prepared statement returns. PostgreSQL fixes them when the statement is prepared: where they have
 * changed since, it refuses to execute the statement, with an error by which drivers know that they have to prepare it
 * again (RevalidateCachedQuery in plancache.c). A statement that the proxy prepares again, because another text has to be sent for
 * it now, would return other columns without that error; and one that returns columns of the proxy's own would be refused where only
 * these have changed.
 */

import { shapeOf } from '../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../rewrite/text.js';
import { readColumns } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import type { ReplyHandler } from '../server/outstanding-replies.js';

/** The columns that the server says that a text returns, as readColumns gives them. */
interface DescribedColumns {
  /** All columns. */
  readonly sent: readonly string[];
  /** Those of the client's. */
  readonly client: readonly string[];
}

/** What a statement returned when it was prepared: known as soon as the server has described it. */
export class ResultColumns {
  #described: DescribedColumns | undefined;

  /** Whether the statement was described, and returns rows. */
  get returnsRows(): boolean {
    return this.#described !== undefined && this.#described.client.length > 0;
  }

  /** Whether it returns columns of the proxy's own beside the client's. */
  get returnsMore(): boolean {
    return this.returnsRows && this.#described?.client.length !== this.#described?.sent.length;
  }

  /** @returns whether nothing has changed, only what the client does not get, or what it gets */
  compare(now: DescribedColumns | undefined): 'same' | 'ours' | 'theirs' {
    const before = this.#described;
    if (!before || !now || !areEqual(before.client, now.client)) return 'theirs';
    return areEqual(before.sent, now.sent) ? 'same' : 'ours';
  }

  /** The statement is prepared again, and this is what it returns now. */
  update(now: DescribedColumns | undefined): void {
    this.#described = now ?? this.#described;
  }

  /** The handler for the answer to a Describe of the proxy's own, of the statement as it was first sent. */
  described(rewrite: Rewrite): ReplyHandler {
    return {
      receive: (message) => {
        if (message.type === Backend.ErrorResponse) return 'forward';
        this.update(columnsIn(message, rewrite));
        return 'swallow';
      },
    };
  }
}

/** The columns in an answer to Describe: none where it is NoData, undefined where it is another message. */
export function columnsIn(message: Message, rewrite: Rewrite): DescribedColumns | undefined {
  if (message.type === Backend.NoData) return { sent: [], client: [] };
  if (message.type !== Backend.RowDescription) return undefined;
  const shape = shapeOf(rewrite.treatments[0]);
  const sent = readColumns(message, 0);
  if (shape?.kind === 'count') return { sent, client: [] };
  return { sent, client: sent.slice(shape?.kind === 'rows' ? shape.added : 0) };
}

function areEqual(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each, i) => each === others[i]);
}
