/** The record of cascades: a line of JSON for each that was executed, and for each that failed. */
import { ProxyError } from '../errors.js';
import type { Relation } from '../graph/model.js';
import type { TableRows } from '../observe/session-events.js';
import { fileTarget, LineWriter, outputTarget, type WriterEvents } from './line-writer.js';

/** Whose cascade it is, as the client said at its login: its address, and who it is. */
export interface Author {
  readonly client: string;
  readonly user: string;
  readonly database: string;
  readonly application: string;
}

/** What became of it. Whether its transaction is committed is not known yet. */
export type Ending =
  | {
      readonly outcome: 'done';
      readonly milliseconds: number;
      readonly rows: readonly TableRows[] | undefined;
    }
  /** `rows`: those that are gone all the same. */
  | {
      readonly outcome: 'failed';
      readonly sqlstate: string;
      readonly rows?: readonly TableRows[] | undefined;
    };

export class Audit {
  readonly #writer: LineWriter;
  readonly #required: boolean;

  /** @param path of a file, or `-` */
  constructor(path: string, required: boolean, events: WriterEvents) {
    this.#required = required;
    this.#writer = new LineWriter(
      () => (path === '-' ? outputTarget(process.stdout) : fileTarget(path)),
      events,
    );
  }

  /** @throws the system's error where the file cannot be opened */
  start(): Promise<void> {
    return this.#writer.start();
  }

  /** Why no cascade may be sent now: its record is required, and cannot be written. */
  get refusal(): ProxyError | undefined {
    return this.#required && !this.#writer.isWell ? new ProxyError('PGC_AUDIT') : undefined;
  }

  /** @param tables those of the client's own statement */
  record(author: Author, tables: readonly Relation[], fingerprint: string | undefined, ending: Ending): void {
    this.#writer.write(JSON.stringify(lineOf(author, tables, fingerprint, ending)));
  }

  reopen(): Promise<void> {
    return this.#writer.reopen();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/** Names of tables and keys, and numbers: nothing that a client has said but its own names. */
function lineOf(
  author: Author,
  tables: readonly Relation[],
  fingerprint: string | undefined,
  ending: Ending,
): object {
  const head = {
    time: new Date().toISOString(),
    client: author.client,
    user: author.user,
    database: author.database,
    application: author.application,
    statement: fingerprint ?? null,
    tables: tables.map(named),
  };
  const rows = ending.rows?.map(({ relation, action, rows: count }) => ({
    table: named(relation),
    action,
    rows: count,
  }));
  if (ending.outcome === 'failed') return { ...head, ...ending, rows };
  const { outcome, milliseconds } = ending;
  return { ...head, outcome, milliseconds: Math.round(milliseconds * 1000) / 1000, rows: rows ?? null };
}

function named({ schema, name }: Relation): string {
  return `${schema}.${name}`;
}
