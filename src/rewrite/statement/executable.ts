/** A prepared statement that an EXECUTE names. */
import type { ProxyError } from '../../errors.js';
import type { Steps } from '../../pace.js';
import type { RelationName } from '../../sql/names.js';
import type { PreparedSource, Treatment } from './treatment.js';

export interface Executable {
  readonly targets: readonly RelationName[];
  /** What the server has under the name. */
  readonly sql: string;
  /** What becomes of the answers to its EXECUTE. */
  readonly executeTreatment: Treatment;
  /** Undefined where it is prepared in the same string as its EXECUTE. */
  readonly source?: PreparedSource | undefined;
  /** Expands the client's text as of now; undefined where the statement is prepared in the same string as its EXECUTE. */
  readonly replan: (() => Steps<Replanned>) | undefined;
}

/** What the client's text would be prepared as now. */
export interface Replanned {
  readonly sql: string;
  readonly treatment: Treatment;
  /** Why it should be refused, where the configuration passes it on. */
  readonly error: ProxyError | undefined;
}
