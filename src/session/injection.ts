/** Questions of the proxy's own, asked over the client's session and answered before the client's next message goes on. */
import { readRow } from '../wire/backend.js';
import { write } from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { Backend } from '../wire/types.js';
import type { Output } from './output.js';
import type { Answered, ExpectedReplies, Verdict } from './replies.js';

/**
 * `failed`: the server answered with an error, which the client got as the answer to its own statement.
 * `skipped`: an earlier message of the client's pipeline had failed, so the server skips its next ones as well.
 */
export type Answer =
  | { readonly kind: 'value'; readonly value: string }
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

/** A portal of its own: where its execution is refused it stays until the transaction is rolled back. */
export const REPEATED = `${SCRATCH}_r`;

/**
 * How a question is asked.
 * `query`: as a simple query, between the client's own; it ends with a ReadyForQuery that is swallowed.
 * `pipeline`: in the extended protocol, ended by Flush. Never by Sync: that would commit the client's implicit transaction.
 */
export type Manner = 'query' | 'pipeline';

export class Injection {
  readonly #server: Output;
  readonly #replies: ExpectedReplies;
  #lingers = false;

  constructor(server: Output, replies: ExpectedReplies) {
    this.#server = server;
    this.#replies = replies;
  }

  /**
   * Whether a question in a pipeline has begun an implicit transaction that is still open. The client's next Sync ends
   * it, with what the client itself executes in it; a simple query without one would be caught in it.
   */
  get lingers(): boolean {
    return this.#lingers;
  }

  /** A Sync or a simple query of the client's was sent. */
  endUnit(): void {
    this.#lingers = false;
  }

  /**
   * Ends the transaction that only questions have begun. The one Sync of the proxy's own in a pipeline: the client has
   * executed nothing that it could commit, and the server is asked before whether it skips to one.
   */
  async leave(): Promise<void> {
    this.#lingers = false;
    const answer = await this.#send([write.close('S', SCRATCH), write.flush()], [], 'Close');
    if (answer.kind !== 'value') return;
    this.#replies.expect('Sync', { receive: () => 'swallow' });
    this.#server.write(write.sync());
  }

  /** Asks a query that gives one row of one column. */
  ask(sql: string, manner: Manner): Promise<Answer> {
    if (manner === 'query') return this.#send([write.query(sql)], [], 'Query');
    this.#lingers = true;
    const messages = [
      write.close('S', SCRATCH),
      write.parse(SCRATCH, sql),
      write.bind(SCRATCH, SCRATCH),
      write.execute(SCRATCH),
      write.close('P', SCRATCH),
      write.close('S', SCRATCH),
      write.flush(),
    ];
    return this.#send(messages, ['Close', 'Parse', 'Bind', 'Execute', 'Close'], 'Close');
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
    const answer = await this.#send(messages, ['Close', 'Parse', ...before], 'Close', (error) => {
      refused = isRefusal(error);
      return refused;
    });
    if (refused) return 'refused';
    return answer.kind === 'value' ? 'done' : 'failed';
  }

  /**
   * Executes statements, the last of which fails: the client gets no error, but of a simple query the ReadyForQuery.
   * In a pipeline the server then skips to the client's Sync.
   */
  async fail(statements: readonly string[], manner: Manner): Promise<void> {
    const swallow = () => true;
    if (manner === 'query') {
      await this.#send([write.query(statements.join('; '))], [], 'Query', swallow);
      return;
    }
    const messages = statements.flatMap((sql) => [
      write.close('S', SCRATCH),
      write.parse(SCRATCH, sql),
      write.bind(SCRATCH, SCRATCH),
      write.execute(SCRATCH),
      write.close('P', SCRATCH),
    ]);
    const before = statements.flatMap((): Answered[] => ['Close', 'Parse', 'Bind', 'Execute', 'Close']);
    await this.#send([...messages, write.close('S', SCRATCH), write.flush()], before, 'Close', swallow);
  }

  /**
   * Has the server parse a text and forget it: its own error, if it has one, goes to the client.
   * @returns `value` (empty) where the text is well-formed
   */
  parse(sql: string, types: readonly number[], manner: Manner): Promise<Answer> {
    const messages = [write.close('S', SCRATCH), write.parse(SCRATCH, sql, types), write.close('S', SCRATCH)];
    // Between the client's queries a Sync ends nothing of the client's, and an error needs its ReadyForQuery.
    return manner === 'query'
      ? this.#send([...messages, write.sync()], ['Close', 'Parse', 'Close'], 'Sync')
      : this.#send([...messages, write.flush()], ['Close', 'Parse'], 'Close');
  }

  #send(
    messages: readonly Buffer[],
    before: readonly Answered[],
    last: Answered,
    isOurs?: (error: Message) => boolean,
  ): Promise<Answer> {
    return new Promise((resolve) => {
      const question = new Question(resolve, isOurs);
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

/** Swallows what answers a question and keeps its value; an error, and the end of a query that had one, are the client's. */
class Question {
  readonly #resolve: (answer: Answer) => void;
  readonly #isOurs: (error: Message) => boolean;
  #value = '';
  #failed = false;

  constructor(resolve: (answer: Answer) => void, isOurs: (error: Message) => boolean = () => false) {
    this.#resolve = resolve;
    this.#isOurs = isOurs;
  }

  receive(message: Message): Verdict {
    if (message.type === Backend.ErrorResponse) {
      this.#failed = true;
      if (this.#isOurs(message)) return 'swallow';
    }
    if (message.type === Backend.DataRow) this.#value = readRow(message)[0]?.toString('latin1') ?? '';
    const end = message.type === Backend.ErrorResponse || message.type === Backend.ReadyForQuery;
    return this.#failed && end ? 'forward' : 'swallow';
  }

  end(): void {
    this.#resolve(this.#failed ? { kind: 'failed' } : { kind: 'value', value: this.#value });
  }

  skip(): void {
    this.#resolve({ kind: this.#failed ? 'failed' : 'skipped' });
  }
}
