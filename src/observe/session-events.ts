/** What a session tells of itself while it serves its client: the log listens (session-log.ts), and the metrics do (session-metrics.ts). */
import type { ProxyError } from '../errors.js';
import type { Relation } from '../graph/model.js';
import type { Plan } from '../plan/plan.js';

/** An expanded statement. */
export interface Cascade {
  readonly plan: Plan;
  /** Equal for statements that differ in their values alone; undefined where nobody wants to know, or it takes too long. */
  readonly fingerprint: string | undefined;
}

/** A statement that may change what keys reference, and is followed by what their ON UPDATE says. */
export interface Update extends Pick<Cascade, 'fingerprint'> {
  /** That in which it changes what keys reference. */
  readonly table: Relation;
}

/** What a cascade did to how many rows of a table. `delete`: the client's own statement. */
export interface TableRows {
  readonly relation: Relation;
  readonly action:
    | 'delete'
    | 'cascade'
    | 'set null'
    | 'set default'
    | `on update ${'cascade' | 'set null' | 'set default'}`;
  readonly rows: number;
}

export interface SessionEvents {
  /** A client has connected. */
  connected(): void;
  /** It gets no session: the proxy has told it so, the server has, or the client has gone. */
  notLoggedIn(why: ProxyError | 'server' | 'client'): void;
  /** The server has executed a statement as it came. */
  executed(): void;
  /** A text is going to be sent in place of the client's, for the plans in it. It was decided in so many milliseconds. */
  planned(plans: readonly Plan[], milliseconds: number): void;
  /**
   * The server has executed an expanded statement, so many milliseconds after it was sent.
   * @param rows undefined where nobody has counted
   */
  cascaded(cascade: Cascade, milliseconds: number, rows: readonly TableRows[] | undefined): void;
  /** ON UPDATE has changed rows after a statement, so many milliseconds after that was sent. `executed` has told of the statement. */
  followed(update: Update, milliseconds: number, rows: readonly TableRows[]): void;
  /** A statement that may leave keys was answered by an error, of which `refused` or `failedByServer` tells too. */
  followFailed(update: Update, sqlstate: string): void;
  /**
   * An expanded statement was answered by an error, of which `refused` or `failedByServer` tells too; or by nothing, as its connection is lost.
   * @param rows those that are gone all the same
   */
  cascadeFailed(cascade: Cascade, sqlstate: string, rows?: readonly TableRows[]): void;
  /**
   * A statement is sent again: nothing of the attempt before has reached the client.
   * @param why a RetryReason (session/execute/outcome.ts)
   */
  retried(why: string): void;
  /** The client got this error as the answer to its statement. */
  refused(error: ProxyError): void;
  /** The client got an error of the server's own as the answer to its statement, or that which the server has for a broken rule. */
  failedByServer(sqlstate: string): void;
  /** A statement went on as it is although it may have to be expanded. */
  passed(error: ProxyError): void;
  /** The session has read the whole catalog over its connection. */
  catalogRead(milliseconds: number): void;
  /** Something about a database has to be known to whoever runs the proxy. It is told once. */
  warned(problem: string): void;
  /** The session failed by an error of the proxy's own. */
  failed(error: unknown): void;
  /** A transaction is open, and the client has said nothing for so many milliseconds: longer than `limits.idle_in_transaction`. */
  idleInTransaction(milliseconds: number): void;
  /** The client was told that its connection is over. */
  ended(error: ProxyError): void;
}
