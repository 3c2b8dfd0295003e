/**
 * What the log says of a session: the names of tables, keys and errors, and how long it took. Never values, nor what a
 * statement says.
 */
import { ERRORS, ProxyError } from '../errors.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import type { Plan } from '../plan/plan.js';
import type { Logger } from './log.js';
import type { Repeats } from './repeats.js';
import type { Cascade } from './session-events.js';
import { SilentEvents } from './silent-events.js';

/** A line names so many tables and keys; of more it gives the number. */
const MOST_NAMES = 50;

export class SessionLog extends SilentEvents {
  readonly #log: Logger;
  readonly #repeats: Repeats;
  readonly #database: string | undefined;
  /** Those that have a line, and were not executed since. */
  #told: WeakSet<Plan> | undefined;

  /** @param database undefined before the client has said it */
  constructor(log: Logger, repeats: Repeats, database?: string) {
    super();
    this.#log = log;
    this.#repeats = repeats;
    this.#database = database;
  }

  /** Where a server refuses a client, it has a line in its own log. */
  override notLoggedIn(why: ProxyError | 'server' | 'client'): void {
    if (why instanceof ProxyError) this.#tell('info', why, 'refused');
  }

  override planned(plans: readonly Plan[], milliseconds: number): void {
    this.#told ??= new WeakSet();
    for (const plan of plans) {
      this.#tellPlan(plan, milliseconds, 'a cascade is planned');
      this.#told.add(plan);
    }
  }

  /** The first execution of a plan has the line that it is planned; each one after that has its own. */
  override cascaded({ plan }: Cascade, milliseconds: number): void {
    if (!this.#told?.delete(plan)) this.#tellPlan(plan, milliseconds, 'a cascade is executed again');
  }

  override retried(why: string): void {
    this.#log.debug({ database: this.#database, why }, 'a statement is sent again');
  }

  override refused(error: ProxyError): void {
    // What stands for an error of the server's is none of the proxy's.
    if (!('native' in ERRORS[error.errorName])) this.#tell('info', error, 'refused');
  }

  override passed(error: ProxyError): void {
    this.#tell('warn', error, 'passed on without a cascade');
  }

  override catalogRead(milliseconds: number): void {
    this.#log.trace({ database: this.#database, milliseconds: rounded(milliseconds) }, 'the catalog is read');
  }

  override warned(problem: string): void {
    this.#log.warn(problem);
  }

  override failed(err: unknown): void {
    this.#log.error({ err }, 'a session failed');
  }

  override idleInTransaction(milliseconds: number): void {
    this.#log.warn(
      { database: this.#database, milliseconds: Math.round(milliseconds) },
      'a session is idle in a transaction: it keeps its locks (limits.idle_in_transaction)',
    );
  }

  override ended(error: ProxyError): void {
    this.#tell('info', error, 'ended');
  }

  #tellPlan(plan: Plan, milliseconds: number, what: string): void {
    if (!this.#log.isLevelEnabled('debug')) return;
    const fields = { database: this.#database, ...namesOf(plan), milliseconds: rounded(milliseconds) };
    this.#log.debug(fields, what);
  }

  #tell(level: 'info' | 'warn', error: ProxyError, what: string): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const text = `${what}: ${reasonOf(error)}`;
    const repeated = this.#repeats.tell(text);
    if (repeated !== undefined)
      this.#log[level]({ ...this.#fieldsOf(error), ...(repeated > 0 ? { repeated } : {}) }, text);
  }

  #fieldsOf({ errorName, sqlstate }: ProxyError) {
    return { database: this.#database, error: errorName, sqlstate };
  }
}

/** A value that a client has set is not for the log. */
function reasonOf(error: ProxyError): string {
  const { errorName, message } = error;
  return errorName === 'PGC_MODE' || errorName === 'PGC_GUARD_VALUE' ? ERRORS[errorName].message : message;
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

function namesOf({ deletions, changes, keys }: Plan) {
  return {
    deletes: listed(
      deletions.filter(({ origin }) => origin === 'client').map(({ relation }) => named(relation)),
    ),
    cascades: listed(
      deletions.filter(({ origin }) => origin === 'key').map(({ relation }) => named(relation)),
    ),
    changes: listed(changes.map(({ relation }) => named(relation))),
    keys: listed(keys.map(keyName)),
  };
}

/** As `cascade.overrides` match it. */
function keyName({ referencing, name }: ForeignKey): string {
  return `${named(referencing)}.${name}`;
}

function named({ schema, name }: Relation): string {
  return `${schema}.${name}`;
}

function listed(names: readonly string[]): readonly string[] {
  const more = names.length - MOST_NAMES;
  return more > 0 ? [...names.slice(0, MOST_NAMES), `and ${more} more`] : names;
}
