/** Questions of the proxy's own, asked over the client's session and answered before the client's next message goes on. */

import { questionSettings } from '../../rewrite/own-settings.js';
import { readColumnNames, readParameterTypes } from '../../wire/backend.js';
import { write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend, TransactionStatus } from '../../wire/types.js';
import type { Output } from './output.js';
import type { Answered, ExpectedReplies } from './outstanding-replies.js';
import { type Answer, type Listener, Question } from './question.js';
import type { ServerState } from './server-state.js';

/** What the server says of a query that it was not asked to execute. */
export type Described =
  | { readonly kind: 'value'; readonly columns: readonly Buffer[]; readonly parameters: readonly number[] }
  | { readonly kind: 'failed' | 'skipped' };

/** A statement of the proxy's own with parameters of the client's. */
export interface Repeated {
  readonly sql: string;
  readonly types: readonly number[];
  /** The Bind of its values to the statement SCRATCH and the portal REPEATED. */
  readonly bind: Buffer;
  readonly times: number;
}

/** A name of the proxy's own: the client's unnamed statement and portal must outlive what is injected. */
export const SCRATCH = `pgcascade_${Math.random().toString(36).slice(2, 10)}`;

/** The statement of a portal that is bound again when the client has given its name to another one. */
export const REBOUND = `${SCRATCH}_s`;

/** A portal of its own: where its execution is refused it stays until the transaction is rolled back. */
export const REPEATED = `${SCRATCH}_r`;

/**
 * How a question is asked.
 * `simple`: as a simple query, between the client's own; it ends with a ReadyForQuery that is swallowed.
 * `extended`: in the extended protocol, ended by Flush. Never by Sync: that would commit the client's implicit transaction.
 */
export type Protocol = 'simple' | 'extended';

export class InternalQueries {
  readonly #server: Output;
  readonly #replies: ExpectedReplies;
  readonly #state: ServerState;
  #lingers = false;
  #isPipeline = false;
  /** The milliseconds that questions of this transaction have taken. */
  #asked = 0;

  constructor(server: Output, replies: ExpectedReplies, state: ServerState) {
    this.#server = server;
    this.#replies = replies;
    this.#state = state;
  }

  /**
   * Whether a question in a pipeline has begun an implicit transaction that is still open. The client's next Sync ends
   * it, with what the client itself executes in it; a simple query without one would be caught in it.
   */
  get hasImplicitTransaction(): boolean {
    return this.#lingers;
  }

  /** A Sync or a simple query of the client's was sent. */
  endUnit(): void {
    this.#lingers = false;
    if (this.#state.status === TransactionStatus.Idle) this.#asked = 0;
  }

  /**
   * A query is sent in the implicit transaction of a pipeline. From PostgreSQL 18 on that stays open behind it, and the end of
   * a string of several statements would end it.
   */
  queryInPipeline(): void {
    this.#isPipeline = true;
  }

  /** The server is idle and has answered everything. */
  idle(): void {
    this.#isPipeline = false;
  }

  /** Whether other statements may stand in one string with a statement that is sent as a query. */
  get mayAccompany(): boolean {
    return !this.#isPipeline;
  }

  /**
   * Ends the transaction that only questions have begun. The one Sync of the proxy's own in a pipeline: the client has
   * executed nothing that it could commit, and the server is asked before whether it skips to one.
   */
  async endImplicitTransaction(): Promise<void> {
    this.#lingers = false;
    const answer = await this.#send([write.close('S', SCRATCH), write.flush()], [], 'Close');
    if (answer.kind !== 'value') return;
    this.#replies.expect('Sync', { receive: () => 'swallow' });
    this.#server.write(write.sync());
  }

  /** Drops prepared statements between two queries, whether or not they are there. */
  async forget(names: readonly string[]): Promise<void> {
    const others = names.slice(1).map((): Answered => 'Close');
    await this.#send([...names.map((name) => write.close('S', name)), write.flush()], others, 'Close');
  }

  /**
   * Asks a query that gives one row of one column.
   * @param isOurs whether an error is none of the client's, who then gets nothing
   */
  ask(sql: string, protocol: Protocol, isOurs?: (error: Message) => boolean): Promise<Answer> {
    return this.#execute([sql], protocol, isOurs);
  }

  /**
   * The same for what takes its time: it runs under none of the client's timeouts (own-settings.ts). The server is known
   * to be PostgreSQL.
   */
  async askUntimed(sql: string, protocol: Protocol): Promise<Answer> {
    const { enter, leave, alone } = questionSettings(this.#state.profile, this.#asked);
    const isAlone =
      protocol === 'simple' && this.#replies.settled && this.#state.status === TransactionStatus.Idle;
    if (protocol === 'simple' && !this.mayAccompany) return this.ask(sql, protocol);
    const start = performance.now();
    const answer = await this.#execute(isAlone ? [...alone, sql] : [enter, sql, leave], protocol);
    this.#asked += performance.now() - start;
    return answer;
  }

  /** @param statements one of them gives the answer: the last row */
  #execute(
    statements: readonly string[],
    protocol: Protocol,
    isOurs?: (error: Message) => boolean,
  ): Promise<Answer> {
    if (protocol === 'simple')
      return this.#send([write.query(statements.join('\n; '))], [], 'Query', { isOurs });
    this.#lingers = true;
    const messages = [...statements.flatMap(executed), write.close('S', SCRATCH), write.flush()];
    return this.#send(
      messages,
      statements.flatMap(() => EXECUTED),
      'Close',
      { isOurs },
    );
  }

  /**
   * Executes a statement in a pipeline, several times.
   * @param isRefusal whether an error is none of the client's: it does not get it, and the server skips to a Sync
   */
  async repeat(
    { sql, types, bind, times }: Repeated,
    isRefusal: (error: Message) => boolean,
  ): Promise<'done' | 'refused' | 'failed'> {
    let refused = false;
    const execution = Buffer.concat([bind, write.execute(REPEATED), write.close('P', REPEATED)]);
    const messages = [
      write.close('S', SCRATCH),
      write.parse(SCRATCH, sql, types),
      ...Array<Buffer>(times).fill(execution),
      write.close('S', SCRATCH),
      write.flush(),
    ];
    const before = Array.from({ length: times }, (): Answered[] => ['Bind', 'Execute', 'Close']).flat();
    const isOurs = (error: Message) => {
      refused = isRefusal(error);
      return refused;
    };
    const answer = await this.#send(messages, ['Close', 'Parse', ...before], 'Close', { isOurs });
    if (refused) return 'refused';
    return answer.kind === 'value' ? 'done' : 'failed';
  }

  /**
   * Executes statements, the last of which fails: the client gets no error, but of a simple query the ReadyForQuery.
   * In a pipeline the server then skips to the client's Sync.
   */
  async fail(statements: readonly string[], protocol: Protocol): Promise<void> {
    const swallow = { isOurs: () => true, isReadyTheirs: true };
    if (protocol === 'simple') {
      await this.#send([write.query(statements.join('; '))], [], 'Query', swallow);
      return;
    }
    const messages = [...statements.flatMap(executed), write.close('S', SCRATCH), write.flush()];
    await this.#send(
      messages,
      statements.flatMap(() => EXECUTED),
      'Close',
      swallow,
    );
  }

  /**
   * Has the server parse a text and forget it: its own error, if it has one, goes to the client.
   * @returns `value` (empty) where the text is well-formed
   */
  parse(sql: string, types: readonly number[], protocol: Protocol): Promise<Answer> {
    const messages = [write.close('S', SCRATCH), write.parse(SCRATCH, sql, types), write.close('S', SCRATCH)];
    // Between the client's queries a Sync ends nothing of the client's, and an error needs its ReadyForQuery.
    return protocol === 'simple'
      ? this.#send([...messages, write.sync()], ['Close', 'Parse', 'Close'], 'Sync')
      : this.#send([...messages, write.flush()], ['Close', 'Parse'], 'Close');
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
    const listener = { offset, hear };
    if (protocol === 'extended') this.#lingers = true;
    const answer =
      protocol === 'simple'
        ? await this.#send(
            [...messages, write.sync()],
            ['Close', 'Parse', 'Describe', 'Close'],
            'Sync',
            listener,
          )
        : await this.#send([...messages, write.flush()], ['Close', 'Parse', 'Describe'], 'Close', listener);
    return answer.kind === 'value' ? { kind: 'value', columns, parameters } : { kind: answer.kind };
  }

  #send(
    messages: readonly Buffer[],
    before: readonly Answered[],
    last: Answered,
    listener: Listener = {},
  ): Promise<Answer> {
    const { isOurs } = listener;
    return new Promise((resolve) => {
      const question = new Question(resolve, listener);
      for (const to of before) {
        const receive = (message: Message) => question.receive(message);
        this.#replies.expect(to, { receive, notice: () => (isOurs ? 'swallow' : 'forward') });
      }
      this.#replies.expect(last, {
        receive: (message) => {
          const verdict = question.receive(message);
          if (message.type === Backend.CloseComplete || message.type === Backend.ReadyForQuery)
            question.end();
          return verdict;
        },
        skipped: () => question.skip(),
      });
      this.#server.write(Buffer.concat(messages));
      this.#server.flush();
    });
  }
}

/** What executes a statement of the proxy's own in a pipeline; and what is answered. */
export function executed(sql: string): readonly Buffer[] {
  return [
    write.close('S', SCRATCH),
    write.parse(SCRATCH, sql),
    write.bind(SCRATCH, SCRATCH),
    write.execute(SCRATCH),
    write.close('P', SCRATCH),
  ];
}

export const EXECUTED: readonly Answered[] = ['Close', 'Parse', 'Bind', 'Execute', 'Close'];
