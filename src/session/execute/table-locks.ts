/**
 * The locks on the tables of the children (`cascade.locks: tables`) in the extended protocol. To parse or bind an expanded statement
 * locks the tables that it changes, until the transaction ends. Two sessions that have both done so would wait for each other if they
 * locked them more strongly then: so the locks come before.
 */
import { tableLocksOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import { accompany } from '../server/own-statements.js';

interface TableLocksParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
}

/**
 * Has the tables locked that what is sent next needs; it goes out with that. An error is the client's, in the place of the answer to
 * what is sent next.
 */
export function lockTables(rewrite: Rewrite | undefined, { server, replies }: TableLocksParts): void {
  if (rewrite === undefined) return;
  for (const sql of tableLocksOf(rewrite.treatments)) accompany(sql, server, replies);
}
