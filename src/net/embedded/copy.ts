import { Buffer } from 'node:buffer';
import { write } from '../../wire/frontend.js';
import type { Backend } from './backend.js';
import { cString, message } from './bytes.js';
import type { Reply } from './reply.js';

/**
 * COPY FROM STDIN. PGlite reads the data from the same call as the statement, and is lost when they are not there; a
 * client sends them only when the server has asked. So everything that may turn out to be a COPY is run with a CopyFail
 * behind it, which PostgreSQL ignores outside a COPY. A COPY is thereby tried once without data, undone, and the client
 * asked for its data; with these it is run again. That takes a statement that begins with COPY, as a simple query.
 */

const REFUSAL =
  'the embedded database takes COPY FROM STDIN only first in a simple query, from at most 256 MiB';
const NO_DATA = message('f', cString(REFUSAL));
const COPY_FROM_STDIN = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*copy\b[\s\S]*\bfrom\s+stdin\b/i;
/** FREEZE wants a table made in the same subtransaction: not possible behind a savepoint, and not needed to try. */
const FREEZE = /(\bfrom\s+stdin\b[\s\S]*?)\bfreeze\b(?:\s+(?:on|true|1)\b)?/i;
/** Of a statement: the head of one that copies is short. */
const LOOKED_AT = 65_536;
const MOST_DATA = 256 * 1024 * 1024;

/** A COPY that waits for its client's data. */
export class CopyIn {
  readonly #statement: Buffer;
  readonly #data: Buffer[] = [];
  #size = 0;

  private constructor(statement: Buffer) {
    this.#statement = Buffer.from(statement);
  }

  /**
   * Runs a Query message that `mayCopyIn`, in its client's turn.
   * @returns the answer, and if it asks for data, what waits for them
   * @throws EngineStopped
   */
  static async begin(query: Buffer, backend: Backend): Promise<{ answer: Buffer; copy?: CopyIn }> {
    const inBlock = backend.status === 'T';
    if (inBlock) await backend.run(write.query('SAVEPOINT pgcascade_copy'));
    const attempt = inBlock ? withoutFreeze(query) : query;
    const { bytes, afterCopyIn } = await runWithoutData(attempt, backend);
    if (afterCopyIn === undefined) {
      if (inBlock && backend.status === 'T') await backend.run(write.query('RELEASE pgcascade_copy'));
      return { answer: bytes };
    }
    if (inBlock) await backend.run(write.query('ROLLBACK TO pgcascade_copy; RELEASE pgcascade_copy'));
    return { answer: bytes.subarray(0, afterCopyIn), copy: new CopyIn(query) };
  }

  /** Keeps a CopyData message. */
  add(data: Buffer): void {
    this.#size += data.length;
    // With too much of it the COPY is run without: it fails with the refusal.
    if (this.#size > MOST_DATA) this.#data.length = 0;
    else this.#data.push(Buffer.from(data));
  }

  /**
   * Runs the COPY with what was kept.
   * @param last CopyDone or CopyFail
   * @returns what is still to be answered
   * @throws EngineStopped
   */
  async finish(last: Buffer, backend: Backend): Promise<Buffer> {
    const rest = this.#size > MOST_DATA ? [] : [...this.#data, last];
    const { bytes, afterCopyIn } = await runWithoutData(Buffer.concat([this.#statement, ...rest]), backend);
    return bytes.subarray(afterCopyIn ?? 0);
  }
}

/** Whether a Query message has to go through `CopyIn.begin`. */
export function mayCopyIn(query: Buffer): boolean {
  return COPY_FROM_STDIN.test(sql(query).toString('latin1', 0, LOOKED_AT));
}

/** Runs messages with a refusal of any COPY that they leave without data. @throws EngineStopped */
export async function runWithoutData(messages: Buffer, backend: Backend): Promise<Reply> {
  const reply = await backend.run(Buffer.concat([messages, NO_DATA]));
  // The server reports it as cancelled by the client, 57014, which it is not. The code is as long.
  if (reply.error?.includes(REFUSAL)) reply.error.write('C0A000', reply.error.indexOf('C57014'), 'latin1');
  return reply;
}

function withoutFreeze(query: Buffer): Buffer {
  const text = sql(query).toString();
  return FREEZE.test(text) ? write.query(text.replace(FREEZE, '$1freeze off')) : query;
}

function sql(query: Buffer): Buffer {
  return query.subarray(5, -1);
}
