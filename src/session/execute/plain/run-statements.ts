/** Sends the statements of one run: several without waiting, where it does no harm that the server still executes those after a failed one. */
import { ProxyError } from '../../../errors.js';
import { refusedBy } from '../../../render/plain/refusal.js';
import type { Changing } from '../../../render/plain/statements.js';
import type { CountedRows } from '../../../render/single/counts.js';
import { rowsInTag } from '../../../wire/backend.js';
import type { Message } from '../../../wire/reader.js';
import type { PlainReply, PlainSender } from './plain-sender.js';
import type { PlainParts, PlainStatement } from './plain-statement.js';
import { Stopped } from './stopped.js';
import { TakenByTable } from './taken-by-table.js';

/** How many characters of statements are sent without waiting for their answers. */
const MOST_AT_ONCE = 1024 * 1024;

/** A statement; without `takes` it changes nothing. */
type Sent = Pick<Changing, 'sql'> & Partial<Changing>;

export class RunStatements {
  readonly #statement: PlainStatement;
  readonly #parts: PlainParts;
  readonly #sender: PlainSender;
  readonly #taken: TakenByTable;
  #changed: number | undefined;

  constructor(statement: PlainStatement, parts: PlainParts, sender: PlainSender) {
    this.#statement = statement;
    this.#parts = parts;
    this.#sender = sender;
    this.#taken = new TakenByTable(statement.cascade.plan);
  }

  /** How many rows were changed or deleted, by table and action. */
  get taken(): readonly CountedRows[] {
    return this.#taken.rows;
  }

  /** How many rows were changed or deleted; undefined as long as nothing was sent that does so. */
  get changed(): number | undefined {
    return this.#changed;
  }

  /** Sends statements that change nothing. @param onAnswer is called with each answer and the index of its statement. @throws Stopped */
  async ask(texts: readonly string[], onAnswer?: (message: Message, index: number) => void): Promise<void> {
    await this.#send(
      texts.map((sql) => ({ sql })),
      true,
      onAnswer,
    );
  }

  /**
   * Sends statements that change rows.
   * @returns how many they have changed
   * @throws Stopped
   */
  async change(statements: readonly Changing[]): Promise<number> {
    if (statements.length > 0) this.#changed ??= 0;
    // Without a transaction nothing undoes the statements after a failed one: each is sent only when the one before it has succeeded.
    const isWhole = this.#statement.program.sequence.family.transactions.kind !== 'none';
    const replies = await this.#send(statements, isWhole);
    return replies.reduce((sum, reply) => sum + rowsInTag(tagOf(reply)), 0);
  }

  async #send(
    statements: readonly Sent[],
    isTogether: boolean,
    onAnswer?: (message: Message, index: number) => void,
  ): Promise<readonly PlainReply[]> {
    const replies: PlainReply[] = [];
    let waiting: Promise<PlainReply>[] = [];
    let size = 0;
    const end = async () => {
      const answered = await Promise.all(waiting);
      waiting = [];
      size = 0;
      this.#record(answered, statements.slice(replies.length));
      replies.push(...answered);
    };
    for (const [i, { sql }] of statements.entries()) {
      this.#checkSendable(sql);
      if (waiting.length > 0 && (!isTogether || size + sql.length > MOST_AT_ONCE)) await end();
      size += sql.length;
      waiting.push(this.#sender.query(sql, onAnswer && { onAnswer: (message) => onAnswer(message, i) }));
    }
    await end();
    return replies;
  }

  /** Counts the rows of each reply. @param sent the statements, in the order of their replies. @throws Stopped for the first that has failed */
  #record(replies: readonly PlainReply[], sent: readonly Sent[]): void {
    for (const [i, reply] of replies.entries()) {
      const takes = sent[i]?.takes;
      if (takes === undefined || this.#changed === undefined) continue;
      const rows = rowsInTag(tagOf(reply));
      this.#changed += rows;
      this.#taken.add(takes, rows);
    }
    if (replies.some(({ kind }) => kind === 'lost')) throw new Stopped();
    for (const reply of replies) if (reply.kind === 'failed') throw new Stopped(reply.error);
  }

  /** @throws Stopped for a statement that is too long, or that the server would read in another encoding */
  #checkSendable(sql: string): void {
    const { cascade, program } = this.#statement;
    const { family } = program.sequence;
    const { encoding } = this.#parts.state;
    const isAscii = Buffer.byteLength(sql) === sql.length;
    if (!isAscii && encoding !== 'UTF8')
      throw new Stopped(new ProxyError('PGC_ENCODING', { what: 'keys and names beyond ASCII', encoding }));
    const { statementBytes } = family.limits;
    if (statementBytes === undefined || Buffer.byteLength(sql) <= statementBytes) return;
    const what = `it takes statements of more than ${statementBytes} bytes`;
    throw new Stopped(refusedBy(family, cascade.target, what));
  }
}

function tagOf(reply: PlainReply): string {
  return reply.kind === 'done' ? reply.tag : '';
}
