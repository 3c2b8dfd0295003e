/** The client's half of a session: takes its messages in order, and gives each to what handles its type. */
import type { Message } from '../wire/reader.js';
import { Frontend, type FrontendType } from '../wire/types.js';
import type { ReportedSettings } from './catalog/reported-settings.js';
import type { CopyIn } from './client/copy-in.js';
import type { EarlyQuestion } from './client/extended/early-question.js';
import type { KnownNames, NamingType } from './client/extended/known-names.js';
import type { MessageHandler } from './client/message-handler.js';
import type { UnitEnd } from './client/unit-end.js';
import type { UnitOfWork } from './client/unit-of-work.js';
import type { Executor } from './execute/executor.js';
import type { PolicyChange } from './policy-change.js';
import type { Output } from './server/output.js';
import type { OutstandingReplies } from './server/outstanding-replies.js';

/** The messages that are given to a handler: all that the server answers, and Flush. */
type HandledType =
  | NamingType
  | typeof Frontend.Query
  | typeof Frontend.FunctionCall
  | typeof Frontend.Sync
  | typeof Frontend.Flush;

/** The names of their handlers. An object that had the types themselves as keys would have room for every byte up to the largest. */
const HANDLERS = {
  [Frontend.Query]: 'query',
  [Frontend.Parse]: 'parse',
  [Frontend.Bind]: 'bind',
  [Frontend.Describe]: 'describe',
  [Frontend.Execute]: 'execute',
  [Frontend.Close]: 'close',
  [Frontend.Flush]: 'flush',
  [Frontend.Sync]: 'sync',
  [Frontend.FunctionCall]: 'functionCall',
} as const satisfies Readonly<Record<HandledType, string>>;

export type Handlers = Readonly<Record<(typeof HANDLERS)[HandledType], MessageHandler<unknown>>>;

interface DispatchOptions {
  readonly handlers: Handlers;
  readonly server: Pick<Output, 'forward'>;
  readonly replies: Pick<OutstandingReplies, 'settled'>;
  readonly copyIn: CopyIn;
  readonly executor: Pick<Executor, 'unsynced'>;
  readonly early: EarlyQuestion;
  readonly knownNames: KnownNames;
  readonly policyChange: PolicyChange;
  readonly settings: ReportedSettings;
  readonly unit: UnitOfWork;
  readonly unitEnd: UnitEnd;
}

export class Dispatch {
  readonly #options: DispatchOptions;
  #terminated = false;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** Whether the client is between two units of work, as far as it has sent. */
  get betweenUnits(): boolean {
    return this.#options.unit.isBetweenUnits;
  }

  /** The client said goodbye. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** The session is over: no message of the client's has an answer any more. */
  end(): void {
    this.#options.copyIn.end();
  }

  /** ReadyForQuery came. @param isIdle the server is idle and has answered everything */
  answered(isIdle: boolean): void {
    const { replies, settings, unitEnd } = this.#options;
    if (isIdle) unitEnd.serverIdle();
    if (replies.settled) settings.report();
  }

  /**
   * Takes one message.
   * @returns a promise where the server has to be asked first: no further message may be taken until it is fulfilled
   * @throws ProxyError PGC_RELOADED where the session cannot go on under the new policy, or rejects with it
   * @throws ConnectionOver, by rejecting, where the server has ended the connection
   */
  take(message: Message): Promise<void> | undefined {
    if (message.type === Frontend.Terminate) return this.#terminate(message);
    if (message.type !== Frontend.Sync) this.#options.executor.unsynced.answer();
    const changed = NO_STATEMENTS.has(message.type) ? undefined : this.#options.policyChange.before();
    return changed ? changed.then(() => this.#take(message)) : this.#take(message);
  }

  #take(message: Message): Promise<void> | undefined {
    const isData = this.#options.copyIn.take(message);
    if (isData === true) return undefined;
    return isData
      ? isData.then((it) => (it ? undefined : this.#takeNoData(message)))
      : this.#takeNoData(message);
  }

  /** A message that is no part of the data of a COPY. */
  #takeNoData(message: Message): Promise<void> | undefined {
    const { handlers, server } = this.#options;
    // The reader of the client's messages takes no type that is not one of these (client-messages.ts).
    const received = message.type as FrontendType;
    switch (received) {
      case Frontend.Parse:
      case Frontend.Bind:
      case Frontend.Describe:
      case Frontend.Execute:
      case Frontend.Close:
        return this.#takeNaming(message, received);
      case Frontend.Query:
      case Frontend.FunctionCall:
      case Frontend.Sync:
      case Frontend.Flush:
        return handlers[HANDLERS[received]].take(message);
      case Frontend.Terminate:
        return this.#terminate(message);
      // Data that no COPY takes are ignored, and not answered.
      case Frontend.CopyData:
      case Frontend.CopyDone:
      case Frontend.CopyFail:
      // The login is over (src/auth/): the server ends the connection.
      case Frontend.Password:
        server.forward(message);
        return undefined;
      default: {
        received satisfies never;
        return undefined;
      }
    }
  }

  /** A message of the extended protocol that gives a name, or uses one. */
  #takeNaming(message: Message, type: NamingType): Promise<void> | undefined {
    const { early, handlers, knownNames, unit } = this.#options;
    const waiting = knownNames.before(type, message) ?? early.before(message);
    if (waiting) return waiting.then(() => this.take(message));
    unit.begin();
    return handlers[HANDLERS[type]].take(message);
  }

  #terminate(message: Message): undefined {
    this.#terminated = true;
    this.#options.server.forward(message);
  }
}

/**
 * The messages that neither execute nor name anything: those that may come among the data of a COPY, and Password. They are taken without
 * regard to a policy that has changed.
 */
const NO_STATEMENTS: ReadonlySet<number> = new Set([
  Frontend.CopyData,
  Frontend.CopyDone,
  Frontend.CopyFail,
  Frontend.Sync,
  Frontend.Flush,
  Frontend.Password,
]);
