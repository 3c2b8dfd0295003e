/** Questions of the proxy's own, asked over the client's session and answered before the client's next message goes on. */

import { questionSettings } from '../../rewrite/own-settings.js';
import { readColumnNames, readParameterTypes } from '../../wire/backend.js';
import { write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend, TransactionStatus } from '../../wire/types.js';
import type { Output } from './output.js';
import type { AnsweredMessage, OutstandingReplies } from './outstanding-replies.js';
import { executionOf, type OwnMessages, SCRATCH } from './own-statements.js';
import { type Answer, type AnswerHandling, Question } from './question.js';
import type { ServerState } from './server-state.js';
import { TransactionState } from './transaction-state.js';

/** What the server says of a query that it was not asked to execute. */
export type Described =
  | { readonly kind: 'value'; readonly columns: readonly Buffer[]; readonly parameters: readonly number[] }
  | { readonly kind: 'failed' | 'skipped' };

/**
 * How a question is asked.
 * `simple`: as a simple query, between the client's own; it ends with a ReadyForQuery that is swallowed.
 * `extended`: in the extended protocol, ended by Flush. Never by Sync: that would commit the client's implicit transaction.
 */
export type Protocol = 'simple' | 'extended';

export class InternalQueries {
  readonly #server: Output;
  readonly #replies: OutstandingReplies;
  readonly #state: ServerState;
  readonly #transaction: TransactionState;
  #isImplicitTransactionOpen = false;
  #isPipeline = false;
  /** The milliseconds that questions of this transaction have taken. */
  #asked = 0;

  constructor(server: Output, replies: OutstandingReplies, state: ServerState) {
    this.#server = server;
    this.#replies = replies;
    this.#state = state;
    this.#transaction = new TransactionState(replies, state);
  }

  /**
   * Whether a question in a pipeline has begun an implicit transaction that is still open. The client's next Sync ends
   * it, with what the client itself executes in it; a simple query without one would be caught in it.
   */
  get hasImplicitTransaction(): boolean {
    return this.#isImplicitTransactionOpen;
  }

  /** A Sync or a simple query of the client's was sent. */
  endUnit(): void {
    this.#isImplicitTransactionOpen = false;
    if (this.#state.status === TransactionStatus.Idle) this.#asked = 0;
  }

  /**
   * A query is sent in the implicit transaction of a pipeline. From PostgreSQL 18 on that stays open after the query, and a string of several
   * statements would end it.
   */
  queryInPipeline(): void {
    this.#isPipeline = true;
  }

  /** The server is idle and has answered everything. */
  serverIdle(): void {
    this.#isPipeline = false;
  }

  /** Whether statements of the proxy's own may stand in one string with a statement that is sent as a query. */
  get mayAccompany(): boolean {
    return !this.#isPipeline;
  }

  /**
   * Ends the transaction that only questions have begun. The one Sync of the proxy's own in a pipeline: the client has
   * executed nothing that it could commit, and the server is asked before whether it skips to one.
   */
  async endImplicitTransaction(): Promise<void> {
    this.#isImplicitTransactionOpen = false;
    const answer = await this.#flushed({ messages: [write.close('S', SCRATCH)], answered: ['Close'] });
    if (answer.kind !== 'value') return;
    this.#replies.expect('Sync', { receive: () => 'swallow' });
    this.#server.write(write.sync());
  }

  /** Drops prepared statements between two queries, whether or not they are there. */
  async forget(names: readonly string[]): Promise<void> {
    const messages = names.map((name) => write.close('S', name));
    await this.#flushed({ messages, answered: names.map((): AnsweredMessage => 'Close') });
  }

  /**
   * Asks a query that gives one row of one column, under the client's timeouts: it reads no table, and takes less time than it
   * takes to set them.
   * @param handling what becomes of an error
   */
  ask(sql: string, protocol: Protocol, handling?: AnswerHandling): Promise<Answer> {
    return this.#execute([sql], protocol, handling);
  }

  /**
   * The same for a question that may take long: it runs under none of the client's timeouts (own-settings.ts). The server is known to be
   * PostgreSQL, or taken for it.
   */
  async askUntimed(sql: string, protocol: Protocol, handling?: AnswerHandling): Promise<Answer> {
    const { apply, restore, applyLocally } = questionSettings(this.#state.profile, this.#asked);
    const isAlone = protocol === 'simple' && this.#transaction.isIdle;
    if (protocol === 'simple' && !this.mayAccompany) return this.ask(sql, protocol, handling);
    const start = performance.now();
    const statements = isAlone ? [...applyLocally, sql] : [apply, sql, restore];
    const answer = await this.#execute(statements, protocol, handling);
    this.#asked += performance.now() - start;
    return answer;
  }

  /** @param statements the last row that one of them gives is the answer */
  #execute(
    statements: readonly string[],
    protocol: Protocol,
    handling: AnswerHandling = {},
  ): Promise<Answer> {
    if (protocol === 'simple') return this.#query(statements.join('\n; '), handling);
    this.#isImplicitTransactionOpen = true;
    return this.#flushed(executionOf(statements), handling);
  }

  /**
   * Executes statements, the last of which fails. The client does not get the error; it gets the ReadyForQuery that ends a
   * simple query. In a pipeline the server then skips to the client's Sync.
   */
  async fail(statements: readonly string[], protocol: Protocol): Promise<void> {
    const swallow = { isOurs: () => true, isReadyTheirs: true };
    if (protocol === 'simple') await this.#query(statements.join('; '), swallow);
    else await this.#flushed(executionOf(statements), swallow);
  }

  /**
   * Has the server parse a text and forget it: its own error, if it has one, goes to the client.
   * @returns `value` (empty) where the text is well-formed
   */
  parse(sql: string, types: readonly number[], protocol: Protocol): Promise<Answer> {
    const messages = [write.close('S', SCRATCH), write.parse(SCRATCH, sql, types), write.close('S', SCRATCH)];
    return this.#ended({ messages, answered: ['Close', 'Parse', 'Close'] }, protocol);
  }

  /**
   * Has the server describe a query and forget it.
   * @param offset how many characters of the client's text stand before the part of it with which the query begins: an
   * error in the query is the client's
   * @param read is given every message of the answer
   */
  async describe(
    sql: string,
    types: readonly number[],
    protocol: Protocol,
    offset: number,
    read: (message: Message) => void = () => {},
  ): Promise<Described> {
    const messages = [
      write.close('S', SCRATCH),
      write.parse(SCRATCH, sql, types),
      write.describeStatement(SCRATCH),
      write.close('S', SCRATCH),
    ];
    let columns: readonly Buffer[] = [];
    let parameters: readonly number[] = [];
    const hear = (message: Message) => {
      read(message);
      if (message.type === Backend.RowDescription) columns = readColumnNames(message);
      if (message.type === Backend.ParameterDescription) parameters = readParameterTypes(message);
    };
    const handling = { offset, hear };
    if (protocol === 'extended') this.#isImplicitTransactionOpen = true;
    const answered = ['Close', 'Parse', 'Describe', 'Close'] as const;
    const answer = await this.#ended({ messages, answered }, protocol, handling);
    return answer.kind === 'value' ? { kind: 'value', columns, parameters } : { kind: answer.kind };
  }

  #query(sql: string, handling: AnswerHandling): Promise<Answer> {
    return this.#send({ messages: [write.query(sql)], answered: ['Query'] }, handling);
  }

  /** As a unit of its own among simple queries, where a Sync ends nothing of the client's and an error needs its ReadyForQuery. */
  #ended(
    { messages, answered }: OwnMessages,
    protocol: Protocol,
    handling: AnswerHandling = {},
  ): Promise<Answer> {
    return protocol === 'extended'
      ? this.#flushed({ messages, answered }, handling)
      : this.#send({ messages: [...messages, write.sync()], answered: [...answered, 'Sync'] }, handling);
  }

  #flushed({ messages, answered }: OwnMessages, handling: AnswerHandling = {}): Promise<Answer> {
    return this.#send({ messages: [...messages, write.flush()], answered }, handling);
  }

  /** The last message that is answered ends the question. */
  #send({ messages, answered }: OwnMessages, handling: AnswerHandling): Promise<Answer> {
    return new Promise((resolve) => {
      const question = new Question(resolve, handling);
      answered.forEach((to, i) => {
        const isLast = i === answered.length - 1;
        this.#replies.expect(to, isLast ? question.ending : question);
      });
      this.#server.write(Buffer.concat(messages));
      this.#server.flush();
    });
  }
}
