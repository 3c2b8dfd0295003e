/** What a statement is expanded with, and what it becomes. */

import type { ProxyError } from '../errors.js';
import type { Graph, Relation } from '../graph/model.js';
import type { Profile } from '../profiles/profile.js';
import type { Columns } from '../render/returned-columns.js';
import type { Copied } from '../render/splice.js';
import type { RelationName } from '../sql/names.js';
import type { Executable, ReplyRule } from './reply-rule.js';
import type { TriggerRule } from './trigger-rule.js';

export interface RewriteContext {
  readonly graph: Graph;
  /** What a name in the text means, where it names a relation at all. */
  readonly meaning: (name: RelationName) => number | null;
  /** What the server says that columns are called. */
  readonly returnedColumns: Columns;
  /** What EXECUTE of this name would run, where that may delete. */
  readonly executable: (name: string) => Executable | undefined;
  /** What the server can do. */
  readonly profile: Profile;
  /** DO and CALL are refused. */
  readonly refusesCode: boolean;
  /** What becomes of triggers that delete. */
  readonly triggers: TriggerRule;
  /** What is not understood is refused; else it is passed on, and the rewrite says so. */
  readonly reject: boolean;
  /** Whether several statements may be sent in its place. */
  readonly inString: boolean;
  /** What is sent may fail on suspicion: it can be sent again, to find out. */
  readonly retries: boolean;
  /** What is sent may leave prepared statements behind. */
  readonly prepares?: boolean;
}

export interface Expanded {
  /** One for each statement that is sent. */
  readonly rules: readonly ReplyRule[];
  /** What stands in the statement's place; undefined where it stays. */
  readonly sql?: string;
  /** The runs of the statement's own text in it, in characters from its start. */
  readonly copied?: readonly Copied[];
  /** Why it should have been refused. */
  readonly error?: ProxyError;
  /** What it does that nobody sees: for the log. */
  readonly warnings?: readonly string[];
}

/** The relation that a name in the text means, where a key comes near it. */
export function relationOf(name: RelationName, { graph, meaning }: RewriteContext): Relation | undefined {
  const oid = meaning(name);
  return oid === null ? undefined : graph.relation(oid);
}
