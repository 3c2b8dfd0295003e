/**
 * The locks on the tables of the children (`cascade.locks: tables`) in the extended protocol. To parse or bind an expanded statement
 * locks the tables that it changes, until the transaction ends. Two sessions that have both done so, and then take stronger locks, would wait
 * for each other: so these locks are taken first.
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
 * Locks the tables for what is sent next; the locks go out with that. The client gets an error of theirs as the answer to what is sent next.
 */
export function lockTables(rewrite: Rewrite | undefined, { server, replies }: TableLocksParts): void {
  if (rewrite === undefined) return;
  for (const sql of tableLocksOf(rewrite.treatments)) accompany(sql, server, replies);
}
