export interface ErrorKind {
  /** Five characters (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
  readonly sqlstate: string;
  /** `{name}` stands for a value of the occasion. */
  readonly message: string;
  /** Left out where PostgreSQL's own error has no hint. */
  readonly hint?: string;
  /** The place in PostgreSQL's source that raises the native error, where drivers recognise the error by its place. */
  readonly source?: { readonly file: string; readonly routine: string };
  /** What the detail says before the error's name. */
  readonly detail?: string;
  /** The error stands for one of PostgreSQL and equals it in every field: the detail does not have the error's name. */
  readonly native?: true;
  /**
   * The proxy cannot expand the statement: `cascade.unsupported: pass` sends it on as it is. No other error is passed over: not
   * a broken configuration, a question without an answer, a name that is not certain, nor what is refused because the
   * configuration says so.
   */
  readonly unexpandable?: true;
}
