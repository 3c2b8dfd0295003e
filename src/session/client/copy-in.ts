/**
 * COPY … FROM STDIN. While the server takes data it ignores Sync and Flush, and any other message ends the connection
 * (CopyGetData in copyfromparse.c). But the server asks for the data before it looks at the table, and may fail at any time
 * from then on: its answers do not tell which of the messages sent meanwhile it took as part of the data. So after a
 * statement that may take data nothing is sent until the server has asked for them or has answered the statement.
 *
 * A client may send Syncs among its data. Whether the server answers one depends on whether the COPY had failed before the
 * server read it. When a COPY fails after which Syncs were sent, CopyIn sends one more Sync, and a Close, and counts:
 *
 *     from the client   CopyData  Sync  CopyData  Sync
 *     from CopyIn                                       Sync           Close  Flush
 *     from the server   ErrorResponse   (ignored)  ReadyForQuery  ReadyForQuery  CloseComplete
 *
 * Here the COPY failed after the first Sync, so the first ReadyForQuery is the client's, and the last is CopyIn's own.
 */
import { errorResponse, Field, readErrorFields } from '../../wire/backend.js';
import { write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend, Frontend } from '../../wire/types.js';
import type { Output } from '../server/output.js';
import type { AnsweredMessage, OutstandingReplies, Verdict } from '../server/outstanding-replies.js';
import { SCRATCH } from '../server/own-statements.js';
import { ConnectionOver } from './connection-over.js';
import { type AnsweredSyncs, CountedSyncs } from './counted-syncs.js';
import type { UnitEnd } from './unit-end.js';

/** The reason in the CopyFail that finds out whether the server takes data: it ends the COPY, and the server's log shows it. */
const ENDED = `pgcascade/${SCRATCH}: another message came before the end of the data`;

export class CopyIn {
  readonly #server: Output;
  readonly #replies: OutstandingReplies;
  readonly #unitEnd: Pick<UnitEnd, 'end'>;
  /** `ending`: the last of the data was sent, and the server says what comes next. */
  #phase: 'none' | 'taking' | 'ending' = 'none';
  /** The data are those of a simple query, whose answer the server sends without being asked to flush. */
  #isOfQuery = false;
  /**
   * How many Syncs, and Flushes that are none, were sent since the server asked for data. It answers those alone that it reads
   * after the COPY has failed.
   */
  #syncsAmongData = 0;
  /** Fulfilled when it is known how many of these Syncs the server has answered. */
  #counting: Promise<void> | undefined;
  /** Drops the client's messages up to its next Sync, as the server would. */
  #skipping = false;
  /** Set while the server has not answered a CopyFail that was sent in place of a message of this type, which cannot stand among data. */
  #probe: { readonly type: number; readonly settle: (wasTaking: boolean) => void } | undefined;
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(server: Output, replies: OutstandingReplies, unitEnd: Pick<UnitEnd, 'end'>) {
    this.#server = server;
    this.#replies = replies;
    this.#unitEnd = unitEnd;
    replies.watch((to, message) => this.#received(to, message));
  }

  /** Fulfilled when the server has answered everything that was sent, or takes data. */
  decided(): Promise<void> {
    // What was written after a question of the proxy's may not have gone out yet.
    this.#server.flush();
    if (this.#isDecided()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** The session is over: every waiting promise is fulfilled. */
  end(): void {
    this.#phase = 'none';
    this.#skipping = false;
    this.#probe?.settle(false);
    for (const go of this.#waiting.splice(0)) go();
  }

  /**
   * Takes a message that is part of the data, or is sent among them.
   * @returns whether it was taken; else it is a message like any other. Rejected with ConnectionOver where the message cannot
   * stand among data, and has ended the connection
   */
  take(message: Message): boolean | Promise<boolean> {
    if (this.#counting) return this.#counting.then(() => this.take(message));
    if (this.#skipping) {
      this.#skipping = message.type !== Frontend.Sync;
      return this.#skipping;
    }
    return this.#phase === 'taking' && this.#takeAmongData(message);
  }

  #takeAmongData(message: Message): boolean | Promise<boolean> {
    switch (message.type) {
      case Frontend.Sync:
        this.#syncsAmongData++;
        break;
      case Frontend.Flush:
        // A Flush with contents, which no Flush has, would be answered by an error.
        if (message.end - message.start > write.flush().length) this.#syncsAmongData++;
        break;
      case Frontend.CopyData:
        break;
      case Frontend.CopyDone:
      case Frontend.CopyFail:
        this.#phase = 'ending';
        this.#server.forward(message);
        // Without a Flush the server would not send its answer. Where a further COPY takes data it ignores the Flush.
        if (!this.#isOfQuery) this.#server.write(write.flush());
        return this.decided().then(() => true);
      default:
        return this.#interrupt(message);
    }
    this.#server.forward(message);
    return true;
  }

  /** Finds out, by a CopyFail, whether the server still takes data: if the COPY has failed already, the message is one like any other. */
  async #interrupt(message: Message): Promise<boolean> {
    this.#phase = 'ending';
    const wasTaking = await new Promise<boolean>((settle) => {
      this.#probe = { type: message.type, settle };
      this.#server.write(write.copyFail(ENDED));
      this.#server.flush();
    });
    if (wasTaking) throw new ConnectionOver();
    await this.decided();
    return this.take(message);
  }

  #received(to: AnsweredMessage, message: Message): Verdict | undefined {
    const verdict = this.#isOver ? 'swallow' : this.#note(to, message);
    if (this.#waiting.length > 0 && this.#isDecided()) for (const go of this.#waiting.splice(0)) go();
    return verdict;
  }

  #note(to: AnsweredMessage, message: Message): Verdict | undefined {
    switch (message.type) {
      case Backend.CopyInResponse:
        this.#phase = 'taking';
        this.#isOfQuery = to === 'Query';
        this.#syncsAmongData = 0;
        return undefined;
      case Backend.CommandComplete:
      case Backend.ReadyForQuery:
        this.#phase = 'none';
        return undefined;
      case Backend.ErrorResponse:
        return this.#phase === 'none' ? undefined : this.#failed(to, message);
      default:
        return undefined;
    }
  }

  #failed(to: AnsweredMessage, error: Message): Verdict | undefined {
    this.#phase = 'none';
    const probe = this.#probe;
    this.#probe = undefined;
    const fields = readErrorFields(error);
    const wasTaking = probe !== undefined && fields.get(Field.message)?.includes(ENDED) === true;
    probe?.settle(wasTaking);
    if (wasTaking) {
      this.#isOver = true;
      return unexpected(probe.type, fields);
    }
    if (this.#syncsAmongData > 0) this.#countAnsweredSyncs(to);
    return undefined;
  }

  /** Finds out how many of the Syncs among the data the server answers. It answers the Close in every state of the transaction. */
  #countAnsweredSyncs(to: AnsweredMessage): void {
    this.#counting = new Promise((resolve) => {
      const counted = ({ ofClient, wasSkipping }: AnsweredSyncs) => {
        this.#counting = undefined;
        // CopyIn's own Sync has ended what the client's next one has to end.
        this.#skipping = wasSkipping;
        // A Sync that was sent among the data has ended the unit.
        if (ofClient > 0) this.#unitEnd.end(false);
        resolve();
      };
      this.#replies.expect('CountedSync', new CountedSyncs(to !== 'Query', counted));
      this.#server.write(Buffer.concat([write.sync(), write.close('S', SCRATCH), write.flush()]));
      this.#server.flush();
    });
  }

  #isDecided(): boolean {
    return this.#phase === 'taking' || this.#replies.answered;
  }
}

/**
 * The error about a message that is none of the data, and the end of the connection: PostgreSQL has read no more of the
 * message than its type (CopyGetData in copyfromparse.c, PostgresMain in postgres.c).
 */
function unexpected(type: number, copyFailed: ReadonlyMap<string, string>): Buffer {
  const code = type.toString(16).toUpperCase().padStart(2, '0');
  const error = new Map([
    ...copyFailed,
    [Field.code, '08P01'],
    [Field.message, `unexpected message type 0x${code} during COPY from stdin`],
  ]);
  const fatal = new Map([
    [Field.severity, 'FATAL'],
    [Field.severityNonLocalized, 'FATAL'],
    [Field.code, '08P01'],
    [Field.message, 'terminating connection because protocol synchronization was lost'],
  ]);
  return Buffer.concat([errorResponse(error), errorResponse(fatal)]);
}
