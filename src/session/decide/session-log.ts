/**
 * What a session logs of its statements: the names of tables, keys and errors, and how long planning took. Never values,
 * nor what a statement says.
 */
import { ERRORS, type ProxyError } from '../../errors.js';
import type { ForeignKey, Relation } from '../../graph/model.js';
import type { Logger } from '../../observe/log.js';
import type { Plan } from '../../plan/plan.js';
import type { ReplyRule } from '../../rewrite/reply-rule.js';
import type { Decision, Source } from './decision.js';
import type { Repeats } from './repeats.js';

/** A line names so many tables and keys; of more it gives the number. */
const MOST_NAMES = 50;

export class SessionLog {
  readonly #log: Logger;
  readonly #repeats: Repeats;
  readonly #database: string | undefined;
  /** What was sent for the text that was decided last. */
  #planned: string | undefined;

  /** @param database undefined before the client has said it */
  constructor(log: Logger, repeats: Repeats, database?: string) {
    this.#log = log;
    this.#repeats = repeats;
    this.#database = database;
  }

  /**
   * It is going to be decided what is sent for a text. In a pipeline that is asked again of what was prepared, and told
   * where it is another plan.
   * @returns what is to be called with the decision; undefined where nobody reads of it
   */
  deciding({ protocol }: Source): ((decision: Decision) => void) | undefined {
    if (!this.#log.isLevelEnabled('debug')) return undefined;
    const began = performance.now();
    return (decision) => {
      if (decision.kind !== 'rewrite') return;
      const { sql, rules } = decision.rewrite;
      if (protocol === 'extended' && sql === this.#planned) return;
      this.#planned = sql;
      const milliseconds = Math.round((performance.now() - began) * 1000) / 1000;
      for (const plan of rules.flatMap(planOf))
        this.#log.debug({ database: this.#database, ...namesOf(plan), milliseconds }, 'a cascade is planned');
    };
  }

  /** The server has refused what was sent in the place of a statement. */
  refused(error: ProxyError): void {
    // What stands for an error of the server's is none of the proxy's.
    if ('native' in ERRORS[error.errorName]) return;
    // It is planned again, and the client may hear nothing of it.
    if (error.errorName === 'PGC_MOVED')
      this.#log.debug(this.#fieldsOf(error), 'a name has come to mean another table');
    else this.#tell('info', error, 'refused');
  }

  /** A statement went on as it is although it may have to be expanded. */
  passed(error: ProxyError): void {
    this.#tell('warn', error, 'passed on without a cascade');
  }

  /** The client was told that its connection is over. */
  ended(error: ProxyError): void {
    this.#tell('info', error, 'ended');
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
  return error.errorName === 'PGC_MODE' ? ERRORS.PGC_MODE.message : error.message;
}

function planOf(part: ReplyRule): readonly Plan[] {
  if (part.kind === 'prepare') return planOf(part.executeRule);
  return part.kind === 'cascade' ? [part.plan] : [];
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
