import { Buffer } from 'node:buffer';
import { Lexer } from '../../sql/lexer/lexer.js';
import { WordTable } from '../../sql/lexer/words.js';
import { write } from '../../wire/frontend.js';
import { cString, message } from './bytes.js';
import type { Reply } from './reply.js';
import type { SharedSession } from './shared-session.js';

/**
 * COPY FROM STDIN. PGlite reads the data of a COPY from the same call as the statement, and breaks where they are missing;
 * but a client sends data only when the server has asked for them. So every statement that may be a COPY is run with a
 * CopyFail after it, which PostgreSQL ignores outside a COPY. A COPY fails this first time and is undone. The client is
 * asked for its data, and the COPY is run again with the data. This works for a simple query that begins with COPY.
 */

const REFUSAL =
  'the embedded database takes COPY FROM STDIN only first in a simple query, from at most 256 MiB';
const NO_DATA = message('f', cString(REFUSAL));
const WORDS = new WordTable(['copy', 'from', 'stdin', 'freeze', 'on', 'true'].map((word) => [word, word]));
/** In bytes: the head of a COPY statement is short. */
const LOOKED_AT = 65_536;
const MOST_DATA = 256 * 1024 * 1024;

/** A COPY that waits for its client's data. */
export class EmbeddedCopy {
  readonly #statement: Buffer;
  readonly #data: Buffer[] = [];
  #size = 0;

  private constructor(statement: Buffer) {
    this.#statement = Buffer.from(statement);
  }

  /**
   * Runs a Query message that `mayCopyIn`, in its client's turn.
   * @returns the answer, and, where the answer asks for data, the COPY that waits for them
   * @throws EngineStopped
   */
  static async begin(
    query: Buffer,
    session: SharedSession,
  ): Promise<{ answer: Buffer; copy?: EmbeddedCopy }> {
    const inBlock = session.status === 'T';
    if (inBlock) await session.run(write.query('SAVEPOINT pgcascade_copy'));
    const attempt = inBlock ? withoutFreeze(query) : query;
    const { bytes, afterCopyIn } = await runWithoutData(attempt, session);
    if (afterCopyIn === undefined) {
      if (inBlock && session.status === 'T') await session.run(write.query('RELEASE pgcascade_copy'));
      return { answer: bytes };
    }
    if (inBlock) await session.run(write.query('ROLLBACK TO pgcascade_copy; RELEASE pgcascade_copy'));
    return { answer: bytes.subarray(0, afterCopyIn), copy: new EmbeddedCopy(query) };
  }

  /** Keeps a CopyData message. */
  add(data: Buffer): void {
    this.#size += data.length;
    // Where the client sends too much, the COPY is run without data and fails with REFUSAL.
    if (this.#size > MOST_DATA) this.#data.length = 0;
    else this.#data.push(Buffer.from(data));
  }

  /**
   * Runs the COPY with the data that were kept.
   * @param last CopyDone or CopyFail
   * @returns the rest of the answer, after the CopyInResponse that the client already has
   * @throws EngineStopped
   */
  async finish(last: Buffer, session: SharedSession): Promise<Buffer> {
    const rest = this.#size > MOST_DATA ? [] : [...this.#data, last];
    const { bytes, afterCopyIn } = await runWithoutData(Buffer.concat([this.#statement, ...rest]), session);
    return bytes.subarray(afterCopyIn ?? 0);
  }
}

/** Whether a Query message has to go through `EmbeddedCopy.begin`. */
export function mayCopyIn(query: Buffer): boolean {
  const text = sql(query).subarray(0, LOOKED_AT);
  const lexer = new Lexer(text, 'standard');
  lexer.next();
  return wordAt(text, lexer) === 'copy' && findsFromStdin(text, lexer);
}

/** Goes past the next FROM STDIN. @returns false where there is none */
function findsFromStdin(text: Buffer, lexer: Lexer): boolean {
  let last: string | undefined;
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next()) {
    const word = wordAt(text, lexer);
    if (last === 'from' && word === 'stdin') return true;
    last = word;
  }
  return false;
}

function wordAt(text: Buffer, { kind, start, end }: Lexer): string | undefined {
  return kind === 'word' ? WORDS.find(text, start, end) : undefined;
}

/** Runs messages with a CopyFail after them, which ends a COPY that has no data. @throws EngineStopped */
export async function runWithoutData(messages: Buffer, session: SharedSession): Promise<Reply> {
  const reply = await session.run(Buffer.concat([messages, NO_DATA]));
  // The server reports the CopyFail as a cancel by the client (57014), which it was not. 0A000 has the same length.
  if (reply.error?.includes(REFUSAL)) reply.error.write('C0A000', reply.error.indexOf('C57014'), 'latin1');
  return reply;
}

/** FREEZE needs a table made in the same subtransaction: the savepoint excludes that, and the first try needs no FREEZE. */
function withoutFreeze(query: Buffer): Buffer {
  const text = sql(query);
  const lexer = new Lexer(text, 'standard');
  if (!findsFromStdin(text, lexer)) return query;
  for (let kind = lexer.next(); kind !== 'end' && kind !== 'unfinished'; kind = lexer.next()) {
    if (wordAt(text, lexer) !== 'freeze') continue;
    const optionEnd = lexer.end;
    lexer.next();
    const isOn = wordAt(text, lexer) !== undefined || text.toString('latin1', lexer.start, lexer.end) === '1';
    const rest = text.subarray(isOn ? lexer.end : optionEnd);
    return message('Q', text.subarray(0, optionEnd), Buffer.from(' off'), rest, Buffer.alloc(1));
  }
  return query;
}

function sql(query: Buffer): Buffer {
  return query.subarray(5, -1);
}
