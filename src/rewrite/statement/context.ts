/** What a statement is expanded with, and what it is expanded to. */
import type { ProxyError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import type { Relation } from '../../graph/model.js';
import type { GuardLevel } from '../../plan/guard.js';
import type { Profile } from '../../profiles/profile.js';
import type { LimitMode } from '../../render/paged/limit-mode.js';
import type { Columns } from '../../render/returned-columns.js';
import type { LockMode } from '../../render/single/locks.js';
import type { Copied } from '../../render/splice.js';
import type { RelationName } from '../../sql/names.js';
import { fingerprint } from '../../sql/parser/parser.js';
import { readSource } from '../../sql/parser/source.js';
import type { Program } from './program.js';
import type { Executable, Treatment } from './treatment.js';
import type { TriggerPolicy } from './trigger-policy.js';

export interface RewriteContext {
  readonly graph: Graph;
  /** The oid of the relation that a name in the text means; null where it means none. */
  readonly meaning: (name: RelationName) => number | null;
  /** The names that the server gives to columns. */
  readonly returnedColumns: Columns;
  /** The prepared statement that EXECUTE of this name would run, where it may delete. */
  readonly executable: (name: string) => Executable | undefined;
  /** What the server can do. */
  readonly profile: Profile;
  /** The configuration refuses DO and CALL. */
  readonly refusesCode: boolean;
  /** What the configuration says to triggers that may delete. */
  readonly triggers: TriggerPolicy;
  /** What becomes of new keys. */
  readonly guard: GuardLevel;
  /** A cascade without a transaction around it is refused. */
  readonly atomic: boolean;
  /** How a cascade is carried out: on servers whose graph is made of names alone, in plain statements. */
  readonly strategy: Exclude<Program['kind'], 'paged'>;
  /** How many rows a transaction of a cascade may take; 0 for any number. */
  readonly batchRows: number;
  /** What becomes of a cascade that reaches a limit of the server's. */
  readonly onLimit: LimitMode;
  /** The configuration has the keys of copied rows looked at after a COPY, where new keys are checked; else it is refused. */
  readonly verifiesCopies: boolean;
  /** What the configuration says to locks before a DELETE whose keys the server does not enforce. */
  readonly locks: LockMode;
  /** The configuration refuses what is not understood; else it is passed on, with the error for the log. */
  readonly reject: boolean;
  /** Somebody wants to know how many rows of each table a cascade takes. */
  readonly counting: boolean;
  /** The text comes in a Query: the server takes several statements in the place of one. Parse takes one alone. */
  readonly inString: boolean;
  /**
   * The decider says whether the execution can be repeated with nothing else lost. An expanded statement may then fail on
   * mere suspicion that a rule is broken, which is cheaper than to find out.
   */
  readonly retries: boolean;
  /** The sender closes the prepared statements that a failed text leaves behind, so the text may prepare some (series.ts). */
  readonly prepares?: boolean;
}

export interface Expanded {
  /** One for each statement that is sent. */
  readonly treatments: readonly Treatment[];
  /** What is sent in the statement's place; undefined where it is sent as it is. */
  readonly sql?: string;
  /** The runs of the statement's own text in `sql`, in characters from its start. */
  readonly copied?: readonly Copied[];
  /** Why it should be refused, where the configuration passes it on. */
  readonly error?: ProxyError;
  /** What it does that the proxy neither cascades nor checks: for the log. */
  readonly warnings?: readonly string[];
}

/** The relation that a name in the text means, if the graph has it. */
export function relationOf(name: RelationName, { graph, meaning }: RewriteContext): Relation | undefined {
  const oid = meaning(name);
  return oid === null ? undefined : graph.relation(oid);
}

/** Characters: a longer text would hold up the event loop. */
const LONGEST_FINGERPRINTED = 4 * 1024;

/** Equal for statements that differ in their values alone; undefined where nobody wants to know, or the text is long. */
export function fingerprintOf(text: string, { counting }: RewriteContext): string | undefined {
  if (!counting || text.length > LONGEST_FINGERPRINTED) return undefined;
  // As the parser takes it: where a comment misleads the parser it would be none.
  return fingerprint(readSource(text)?.text ?? text);
}
