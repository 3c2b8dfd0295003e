/** A database without a server: a front (front.ts) puts PostgreSQL's protocol before it. */

export interface EngineResult {
  /** The names of its columns, where it gives rows. */
  readonly columns: readonly string[] | undefined;
  /** Values as text. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** How many rows it has changed. */
  readonly changed: number;
}

/** One client's connection to it. */
export interface EngineSession {
  /**
   * Executes one statement.
   * @param values of $1, $2, …, as text
   * @throws EngineError
   */
  execute(sql: string, values: readonly (string | null)[]): Promise<EngineResult>;
  close(): void;
}

/** What the engine says of a statement that it refuses. */
export class EngineError extends Error {
  readonly sqlstate: string;

  constructor(sqlstate: string, message: string) {
    super(message);
    this.sqlstate = sqlstate;
  }
}
