/** What is tried to find out why two sides differ. */
import type { Kind } from './kind.js';
import type { Trace } from './lockstep.js';
import type { Schema } from './scenario.js';

/** What else can be tried on the same schema to find a cause. */
export interface Trials {
  readonly schema: Schema;
  /** The transactions keep the snapshot that they began with. */
  readonly keepsSnapshot: boolean;
  /** New keys are looked at, and what is deleted is locked first. */
  readonly guarded: boolean;
  /** Does it once more, with the clients in another order. */
  again(order: readonly number[]): Promise<Trace>;
  /** Does it once more, natively with no index that decides in which order rows are found. */
  inTableOrder(): Promise<Trace>;
  /** What kind it is with enforced keys and overrides; undefined where the keys are enforced anyway. */
  readonly enforced: (() => Promise<Kind>) | undefined;
}
