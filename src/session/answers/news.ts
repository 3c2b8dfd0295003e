/** What the listeners of a session are told of the answers to a statement (observe/session-events.ts). */
import type { ProxyError } from '../../errors.js';
import type { FollowedRows } from '../../render/guard/left-statements.js';
import type { CountedRows } from '../../render/single/counts.js';
import type { CascadeTreatment, GuardTreatment, Treatment } from '../../rewrite/statement/treatment.js';

export type News =
  | {
      readonly kind: 'executed';
      readonly treatment: Treatment;
      /** When the server had executed it (performance.now). */
      readonly at: number;
      /** The rows that its parts took (render/single/counts.ts); undefined where no row has come, so that none was taken. */
      readonly counts: readonly number[] | undefined;
      /** The rows that were taken where several statements have carried it out. */
      readonly taken?: readonly CountedRows[] | undefined;
      /** The rows that ON UPDATE has changed after it, where they were counted. */
      readonly followed: readonly FollowedRows[];
    }
  | {
      readonly kind: 'failed';
      /** One of the proxy's own; else the SQLSTATE of the server's, or of that which the server has for a broken rule. */
      readonly error: ProxyError | string;
      /** The expanded statement, if it was one. */
      readonly statement: CascadeTreatment | GuardTreatment | undefined;
      /** The rows that are gone all the same; undefined where the statement is undone as a whole. */
      readonly taken?: readonly CountedRows[] | undefined;
    }
  /** The connection is lost in the middle of it: nobody gets an answer. */
  | {
      readonly kind: 'lost';
      readonly statement: CascadeTreatment;
      readonly taken: readonly CountedRows[] | undefined;
    };
