/**
 * The one table of what the proxy itself says to a client: SQLSTATE, message, hint. Documents are made from it.
 * (Violated rules speak with the server's words; those are in render/violations.ts.)
 */

import { BATCH_ERRORS } from './errors/batch-errors.js';
import { ENDING_ERRORS } from './errors/ending-errors.js';
import type { ErrorKind } from './errors/error-kind.js';
import { FAMILY_ERRORS } from './errors/family-errors.js';
import { GUARD_ERRORS } from './errors/guard-errors.js';
import { LOGIN_ERRORS } from './errors/login-errors.js';
import { ORDERED_ERRORS } from './errors/ordered-errors.js';

export type { ErrorKind } from './errors/error-kind.js';

/** What a statement is refused with; and below the table of each other subject, which is a file of errors/. */
export const ERRORS = {
  PGC_KEPT: {
    sqlstate: '0A000',
    message:
      'cannot cascade a DELETE from {table}: a BEFORE DELETE trigger kept a row in a cycle of foreign keys',
    hint: 'The rows of a cycle are found before they are deleted. Delete them in an order of your own with SET pgcascade.mode = off.',
  },
  PGC_FORM: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade from {table}: its rows would be deleted by {form}',
    hint: 'Send the DELETE as a statement of its own, or delete the dependent rows first with SET pgcascade.mode = off.',
  },
  PGC_CODE: {
    sqlstate: '0A000',
    message: '{form} is not allowed: what it deletes would not cascade',
    hint: 'Send the statements themselves, or set cascade.code to pass.',
  },
  PGC_TRUNCATE: {
    sqlstate: '0A000',
    message: 'cannot truncate a table referenced in a foreign key constraint',
    detail: 'Table "{from}" references "{to}".',
    hint: 'Truncate table "{from}" at the same time, or use TRUNCATE ... CASCADE.',
    native: true,
  },
  PGC_EXECUTE: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot execute prepared statement "{name}": it cascades, and cannot be expanded here as the schema is now',
    hint: 'Prepare it again, or send the DELETE itself.',
  },
  PGC_NOT_SELECT: {
    sqlstate: '42809',
    message: 'prepared statement is not a SELECT',
    native: true,
  },
  PGC_GRAMMAR: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot tell what this statement deletes: its grammar is not known here, though the server accepts it',
    hint: 'Write it in the grammar of PostgreSQL 18, or send it past the proxy.',
  },
  PGC_AFTER_DDL: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot cascade a DELETE from {table} after a statement in the same string that may change what it means',
    hint: 'Send SET, DDL and ROLLBACK apart from the DELETE.',
  },
  PGC_TOO_LARGE: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot tell what this statement deletes: it is more than can be read here',
    hint: 'Split it, or pass long lists as an array in a parameter.',
  },
  PGC_WAITING: {
    sqlstate: '53000',
    message: 'too many long statements are waiting to be read',
    hint: 'Run the statement again in a moment, or split it.',
  },
  PGC_UNANSWERED: {
    sqlstate: '0A000',
    message: 'cannot tell what this statement deletes: the server did not answer a question about it',
    hint: 'Nothing was deleted. Run the statement again.',
  },
  PGC_MOVED: {
    sqlstate: '0A000',
    message: 'the name {table} came to mean another table while the DELETE was prepared',
    hint: 'Nothing was deleted. Run the statement again; it is planned anew.',
  },
  PGC_RESULT: {
    sqlstate: '0A000',
    message: 'cached plan must not change result type',
    native: true,
    source: { file: 'plancache.c', routine: 'RevalidateCachedQuery' },
  },
  PGC_SERIALIZATION: {
    sqlstate: '40001',
    message: 'could not serialize access due to concurrent update',
    native: true,
  },
  PGC_RELATION: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade a DELETE from {table}: it is {what}',
    hint: 'Name the table that holds the rows, or SET pgcascade.mode = off.',
  },
  PGC_RELATION_BROKEN: {
    sqlstate: '0A000',
    message: 'cannot delete the rows of {table}: the relation {relation} of the configuration is broken',
    detail: 'It references {referenced}, and {fault}.',
    hint: 'In {where}, {remedy}; or SET pgcascade.mode = off.',
  },
  PGC_TRIGGER: {
    sqlstate: '0A000',
    message:
      'cannot delete the rows of {table}: trigger {trigger} on {on} may delete others, which would neither cascade nor be checked',
    hint: 'Disable the trigger, or set cascade.triggers to warn or pass; or SET pgcascade.mode = off.',
  },
  PGC_PERIOD: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot emulate foreign key {key}: it has a PERIOD',
    hint: 'Temporal keys are not emulated. Delete the rows in an order of your own with SET pgcascade.mode = off.',
  },
  PGC_OVERLAP: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot cascade a DELETE from {table}: what {key} sets in a row decides what {other} does with it',
    hint: 'Give one of them a column list (SET NULL (column)), a constant default or another action, or SET pgcascade.mode = off.',
  },
  PGC_DEFAULTS: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot cascade a DELETE from {table}: {count} keys with SET DEFAULT on {from} are more than one statement can act on',
    hint: 'Give some of them another action, or SET pgcascade.mode = off.',
  },
  PGC_REFERENCED_SET: {
    sqlstate: '0A000',
    unexpandable: true,
    message:
      'cannot cascade a DELETE from {table}: {key} would set a column by which a row references its table through {other}',
    hint: 'ON UPDATE actions are not emulated. Give the key another action, or SET pgcascade.mode = off.',
  },
  PGC_SERVER: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade a DELETE from {table}: the server is {server}, and {reason}',
    hint: 'Take {table} out of cascade.relations and cascade.overrides, or set cascade.declared to false; connect to the server directly; or say by `profile` what it is (docs/databases.md).',
  },
  PGC_ENCODING: {
    sqlstate: '0A000',
    message: 'cannot cascade {what} in client encoding {encoding}',
    hint: "SET client_encoding = 'UTF8'.",
  },
  PGC_STRINGS: {
    sqlstate: '0A000',
    unexpandable: true,
    message: 'cannot cascade a statement with backslashes while standard_conforming_strings is off',
    hint: 'SET standard_conforming_strings = on.',
  },
  PGC_MODE: {
    sqlstate: '22023',
    message: 'invalid value for parameter "pgcascade.mode": "{value}"',
    hint: 'Available values: on, off.',
  },
  PGC_SCRIPT: {
    sqlstate: '0A000',
    message: 'cannot write a script for {what}',
    hint: 'A script is written for one plain DELETE from a table of the schema file: docs/scripts.md says what it may have.',
  },
  PGC_AUDIT: {
    sqlstate: '58030',
    message: 'cannot cascade: its record cannot be written',
    hint: 'audit.required is set, and audit.path cannot be written to: the log of pgcascade says why.',
  },
  ...GUARD_ERRORS,
  ...ORDERED_ERRORS,
  ...FAMILY_ERRORS,
  ...BATCH_ERRORS,
  ...LOGIN_ERRORS,
  ...ENDING_ERRORS,
} as const satisfies Record<string, ErrorKind>;

export type ErrorName = keyof typeof ERRORS;

/** One occurrence of an error of the table. Thrown where a plan is refused, and sent to the client. */
export class ProxyError extends Error {
  readonly errorName: ErrorName;
  readonly sqlstate: string;
  readonly values: Readonly<Record<string, string>>;
  /** Ends with the error's name, as in docs/errors.md; a native error has the detail of PostgreSQL alone. */
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly source: ErrorKind['source'];
  /** The statement can be sent on without a cascade, where the configuration wants that. */
  readonly unexpandable: boolean;

  constructor(name: ErrorName, values: Readonly<Record<string, string>> = {}) {
    const kind: ErrorKind = ERRORS[name];
    const fill = (text: string) => text.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? key);
    super(fill(kind.message));
    this.errorName = name;
    this.values = values;
    this.sqlstate = kind.sqlstate;
    const own = kind.native ? [] : [`pgcascade reports ${name}.`];
    this.detail = [...(kind.detail ? [fill(kind.detail)] : []), ...own].join(' ') || undefined;
    this.hint = kind.hint && fill(kind.hint);
    this.source = kind.source;
    this.unexpandable = kind.unexpandable === true;
  }
}
