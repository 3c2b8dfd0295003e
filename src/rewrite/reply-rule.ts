/** What is sent in place of one of the client's statements, and what becomes of its answers. */
import type { ProxyError } from '../errors.js';
import type { Steps } from '../pace.js';
import type { Plan } from '../plan/plan.js';
import type { Locks } from '../render/single/locks.js';
import type { Answers } from '../render/single/render.js';
import type { RelationName } from '../sql/names.js';

/** What becomes of a statement's answers. */
export type ReplyRule =
  | { readonly kind: 'forward' }
  /** The client does not know of it. */
  | { readonly kind: 'swallow' }
  /** Puts settings back. The statement before it is answered when this one has ended: it may end the transaction. */
  | { readonly kind: 'leave' }
  | {
      readonly kind: 'cascade';
      readonly plan: Plan;
      /** `"public"."orgs"`, for errors. */
      readonly target: string;
      /** What the client's statement is, where it is not only a part of it that deletes. */
      readonly command: string | undefined;
      readonly answers: Answers;
      /** It fails where a rule may be broken, and has to be sent again to find out. */
      readonly suspecting: boolean;
      /** What its markers begin with, where it was prepared by another text. */
      readonly marker?: string | undefined;
      /** What locks the rows that it is going to delete, where others may get in its way and it can be said. */
      readonly locks: Locks | undefined;
    }
  /** TRUNCATE … CASCADE took these along, which the server did not know of. */
  | { readonly kind: 'truncate'; readonly tables: readonly string[] }
  | { readonly kind: 'refused'; readonly error: ProxyError }
  | PrepareRule
  | { readonly kind: 'release'; readonly name: string | undefined };

/** PREPARE in SQL of a statement that may delete. */
export interface PrepareRule {
  readonly kind: 'prepare';
  readonly name: string;
  /** The client's statement, and what was sent for it. */
  readonly text: string;
  readonly sql: string;
  /** What becomes of the answers to its EXECUTE. */
  readonly executeRule: ReplyRule;
  readonly targets: readonly RelationName[];
  /** It is prepared once more: the client does not know of it. */
  readonly again?: true;
}

/** A prepared statement that SQL can execute. */
export interface Executable {
  readonly targets: readonly RelationName[];
  /** What it was made into. */
  readonly sql: string;
  readonly executeRule: ReplyRule;
  /** What the client's text is made into now; undefined where it was prepared in the same string. */
  readonly replan: (() => Steps<Replanned>) | undefined;
}

export interface Replanned {
  readonly sql: string;
  readonly rule: ReplyRule;
  readonly error: ProxyError | undefined;
}

/** The plans of what a text prepares and deletes. */
export function plansOf(rules: readonly ReplyRule[]): readonly Plan[] {
  return rules.flatMap((rule) => {
    const executed = rule.kind === 'prepare' ? rule.executeRule : rule;
    return executed.kind === 'cascade' ? [executed.plan] : [];
  });
}
