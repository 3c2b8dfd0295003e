/** A portal that the client executes, and that the proxy can bind and execute again. */
import { shapeOf } from '../../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../../rewrite/text.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import type { Portal, PortalBinding } from '../../execute/portal-execution.js';
import type { Portals, RepeatablePortal } from '../portals.js';

export class ExecutedPortal implements Portal {
  readonly binding: PortalBinding;
  readonly #name: string;
  readonly #portal: RepeatablePortal;
  readonly #message: Message;
  readonly #portals: Portals;

  /** @param message the client's Execute. Its bytes stay: the session takes no further message until the execution is over */
  constructor(
    name: string,
    portal: RepeatablePortal,
    binding: PortalBinding,
    message: Message,
    portals: Portals,
  ) {
    this.binding = binding;
    this.#name = name;
    this.#portal = portal;
    this.#message = message;
    this.#portals = portals;
  }

  async rebind(): Promise<PortalBinding | undefined> {
    const bound = await this.#portals.bindAgain(this.#name, { ...this.#portal, executed: true });
    return bound && { ...bound, execute: executeOf(this.#message, this.#name, bound.rewrite) };
  }
}

/** @returns the client's Execute, as it is sent where the portal executes this rewrite */
export function executeOf(message: Message, name: string, rewrite: Rewrite): Buffer {
  // The only row is the count. A client that wants one row would have the portal suspended after it.
  return countsRows(rewrite) ? write.execute(name) : whole(message);
}

/** Whether the server gives one row, with the number of rows: the text has no RETURNING. */
export function countsRows({ treatments: [treatment] }: Rewrite): boolean {
  return shapeOf(treatment)?.kind === 'count';
}
