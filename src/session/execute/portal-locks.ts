/** The locks on the rows that a portal is going to delete: executions of their own before its Execute, in the same pipeline. */
import type { Locks } from '../../render/single/locks.js';
import type { Spliced } from '../../render/splice.js';
import type { CascadeTreatment } from '../../rewrite/statement/treatment.js';
import { inPlaceOf } from '../../rewrite/text.js';
import { write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import { type ErrorTranslation, translateError } from '../answers/server-errors.js';
import type { Decider } from '../decide/decider.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies, Verdict } from '../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../server/own-statements.js';
import type { Harmlessness } from './harmlessness.js';

export interface PortalLock {
  readonly locks: Locks;
  /** The types of the parameters that the client's Parse declares. */
  readonly types: readonly number[];
  /** The Bind of the client's values to the statement SCRATCH and the portal REPEATED. */
  readonly bind: Buffer;
}

/** `refused`: the server has denied a lock, and the client gets no error. `failed`: the client has got the error, unless the server has skipped the locks. */
export type LockOutcome = 'done' | 'refused' | 'failed';

interface PortalLocksParts {
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly decider: Pick<Decider, 'translation'>;
  readonly harmlessness: Harmlessness;
}

export class PortalLocks {
  readonly #parts: PortalLocksParts;

  constructor(parts: PortalLocksParts) {
    this.#parts = parts;
  }

  /** @returns whether there are locks that may be sent; `failed` where the client has got an error */
  async may(lock: PortalLock | undefined): Promise<boolean | 'failed'> {
    return lock !== undefined && this.#parts.harmlessness.judge(lock.locks, 'extended');
  }

  /**
   * Sends the locks; they go out with what is sent next.
   * @param deleting the statement that is going to delete the rows
   * @param isRefusal whether an error of a lock is one that the client does not get
   * @returns a promise that is fulfilled when they are answered
   */
  send(
    { locks, types, bind }: PortalLock,
    deleting: Pick<ErrorTranslation, 'rewrite' | 'offset'>,
    isRefusal: (error: Message) => boolean,
  ): Promise<LockOutcome> {
    const { harmlessness, replies, server } = this.#parts;
    return new Promise((resolve) => {
      const skipped = () => resolve('failed');
      for (const statement of locks.statements) {
        const translate = this.#translation(statement, deleting);
        const receive = (message: Message): Verdict => {
          if (message.type !== Backend.ErrorResponse) return 'swallow';
          const isOurs = isRefusal(message);
          resolve(isOurs ? 'refused' : 'failed');
          harmlessness.forget();
          return isOurs ? 'swallow' : translate(message);
        };
        server.write(Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, statement.sql, types)]));
        server.write(Buffer.concat([bind, write.execute(REPEATED), write.close('P', REPEATED)]));
        for (const to of EXECUTION) replies.expect(to, { receive, skipped, notice: () => 'swallow' });
      }
      server.write(write.close('S', SCRATCH));
      const done = (): Verdict => {
        resolve('done');
        return 'swallow';
      };
      replies.expect('Close', { receive: done, skipped });
    });
  }

  /** An error of a lock is that of the statement for which it is taken. */
  #translation(
    statement: Spliced,
    { rewrite, offset = 0 }: Pick<ErrorTranslation, 'rewrite' | 'offset'>,
  ): (error: Message) => Verdict {
    const { decider } = this.#parts;
    const cascade = rewrite.treatments.find((each): each is CascadeTreatment => each.kind === 'cascade');
    const translation = { ...decider.translation(inPlaceOf(rewrite, statement)), offset };
    return (error) => translateError(error, cascade && { kind: 'lock', cascade }, translation);
  }
}

/** What the server answers of one lock. */
const EXECUTION = ['Close', 'Parse', 'Bind', 'Execute', 'Close'] as const;
