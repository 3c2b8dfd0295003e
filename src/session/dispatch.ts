/** The client's half of a session: takes its messages in order, and gives each to what handles its type. */
import { readBind, readTarget, write } from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { Frontend, type FrontendType } from '../wire/types.js';
import type { SessionCatalog } from './catalog/session-catalog.js';
import type { CopyIn } from './client/copy-in.js';
import type { Bind } from './client/extended/bind.js';
import type { Close } from './client/extended/close.js';
import type { Describe } from './client/extended/describe.js';
import type { Execute } from './client/extended/execute.js';
import type { Parse } from './client/extended/parse.js';
import { forward, type ServerSide } from './client/forwarding.js';
import type { SimpleQuery } from './client/simple-query.js';
import type { UnansweredNames } from './client/unanswered-names.js';
import type { UnitEnd } from './client/unit-end.js';
import type { UnitOfWork } from './client/unit-of-work.js';
import type { Decider } from './decide/decider.js';
import type { PendingPrepares } from './decide/pending-prepares.js';
import type { Jit } from './server/jit.js';

interface DispatchOptions extends ServerSide {
  readonly query: SimpleQuery;
  readonly parse: Parse;
  readonly bind: Bind;
  readonly describe: Describe;
  readonly execute: Execute;
  readonly close: Close;
  readonly copyIn: CopyIn;
  readonly catalog: SessionCatalog;
  readonly decider: Decider;
  readonly jit: Jit;
  readonly pendingPrepares: PendingPrepares;
  readonly unanswered: UnansweredNames;
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

  /** The session is over: what is said to the client's messages from now on reaches nobody. */
  end(): void {
    this.#options.copyIn.end();
  }

  /** ReadyForQuery came. @param idle the server is idle and has answered everything */
  answered(idle: boolean): void {
    const { decider, replies, unitEnd } = this.#options;
    if (idle) unitEnd.idle();
    if (replies.settled) decider.settings.report();
  }

  /**
   * Takes one message.
   * @returns a promise where the server has to be asked first: no further message may be taken until it is fulfilled
   * It is rejected with ConnectionOver where the connection has to end.
   */
  take(message: Message): Promise<void> | undefined {
    if (message.type === Frontend.Terminate) return this.#terminate(message);
    const taken = this.#options.copyIn.take(message);
    if (taken === true) return undefined;
    return taken
      ? taken.then((was) => (was ? undefined : this.#takeNoData(message)))
      : this.#takeNoData(message);
  }

  /** A message that is no part of the data of a COPY. */
  #takeNoData(message: Message): Promise<void> | undefined {
    const namesKnown = this.#namesKnown(message);
    if (namesKnown) return namesKnown.then(() => this.take(message));
    const received = typeOf(message);
    if (isExtended(received)) {
      this.#options.unit.begin();
      return this.#options[EXTENDED[received]].take(message);
    }
    switch (received) {
      case Frontend.Query:
        return this.#options.query.take(message);
      case Frontend.Sync:
        return this.#sync(message);
      case Frontend.Flush:
        return this.#flush(message);
      case Frontend.FunctionCall:
        return this.#callFunction(message);
      case Frontend.Terminate:
        return this.#terminate(message);
      // Data that no COPY takes are ignored, and not answered.
      case Frontend.CopyData:
      case Frontend.CopyDone:
      case Frontend.CopyFail:
      // The login is over (src/auth/): the server ends the connection.
      case Frontend.Password:
        this.#options.server.forward(message);
        return undefined;
      default:
        received satisfies never;
        return undefined;
    }
  }

  /** @returns what is fulfilled when it is known what the names in the message stand for; undefined where it is known */
  #namesKnown(message: Message): Promise<void> | undefined {
    const { pendingPrepares, unanswered } = this.#options;
    const type = typeOf(message);
    if (!isExtended(type)) return undefined;
    if (!pendingPrepares.settled && namesStatement(type, message)) return pendingPrepares.answered();
    return unanswered.settled ? undefined : unanswered.answered();
  }

  #terminate(message: Message): undefined {
    this.#terminated = true;
    this.#options.server.forward(message);
  }

  #sync(message: Message): undefined {
    const { jit, unit, unitEnd } = this.#options;
    jit.endUnit();
    unitEnd.end(unit.isInBlock === true);
    return forward(message, 'Sync', this.#options);
  }

  /** A Flush is not answered, unless something is in it, which the server refuses. */
  #flush(message: Message): undefined {
    const { server, unit } = this.#options;
    if (message.end - message.start === write.flush().length) {
      server.forward(message);
      return undefined;
    }
    unit.begin();
    return forward(message, 'Flush', this.#options);
  }

  #callFunction(message: Message): undefined {
    const { catalog, jit, unit, unitEnd } = this.#options;
    jit.on();
    unitEnd.end(unit.isInBlock === true);
    unit.callFunction();
    catalog.executing();
    return forward(message, 'FunctionCall', this.#options);
  }
}

/** The messages of the extended query protocol that use what the names before them stand for, and who takes each. */
const EXTENDED = {
  [Frontend.Parse]: 'parse',
  [Frontend.Bind]: 'bind',
  [Frontend.Describe]: 'describe',
  [Frontend.Execute]: 'execute',
  [Frontend.Close]: 'close',
} as const;

type ExtendedType = keyof typeof EXTENDED;

function isExtended(type: FrontendType): type is ExtendedType {
  return type in EXTENDED;
}

/** The reader of the client's messages takes no type that is not one of these (client-messages.ts). */
function typeOf(message: Message): FrontendType {
  return message.type as FrontendType;
}

/** Whether a message names a prepared statement that SQL may have prepared or dropped: it does not touch the unnamed one. */
function namesStatement(type: ExtendedType, message: Message): boolean {
  switch (type) {
    case Frontend.Bind:
      return (readBind(message)?.statement ?? '') !== '';
    case Frontend.Describe:
    case Frontend.Close: {
      const target = readTarget(message);
      return target?.kind === 'S' && target.name !== '';
    }
    case Frontend.Parse:
    case Frontend.Execute:
      return false;
  }
}
