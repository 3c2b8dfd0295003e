/**
 * Has a message that uses the name of a prepared statement or portal wait until the proxy knows what the name stands for: by that it
 * decides what it sends.
 */
import { readBind, readTarget } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Frontend } from '../../../wire/types.js';
import type { PendingPrepares } from '../../decide/pending-prepares.js';
import type { UnansweredNames } from '../unanswered-names.js';

/** The messages that give a name, or use one. */
export type NamingType =
  | typeof Frontend.Parse
  | typeof Frontend.Bind
  | typeof Frontend.Describe
  | typeof Frontend.Execute
  | typeof Frontend.Close;

export class KnownNames {
  readonly #pendingPrepares: PendingPrepares;
  readonly #unanswered: UnansweredNames;

  constructor(pendingPrepares: PendingPrepares, unanswered: UnansweredNames) {
    this.#pendingPrepares = pendingPrepares;
    this.#unanswered = unanswered;
  }

  /** @returns undefined where the message may be taken; else a promise after which to ask again */
  before(type: NamingType, message: Message): Promise<void> | undefined {
    const [pending, unanswered] = [this.#pendingPrepares, this.#unanswered];
    if (!pending.areKnown && namesStatement(type, message)) return pending.answered();
    return unanswered.areKnown ? undefined : unanswered.answered();
  }
}

/** Whether a message names a prepared statement that PREPARE or DEALLOCATE may have made or dropped: these never concern the unnamed one. */
function namesStatement(type: NamingType, message: Message): boolean {
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
