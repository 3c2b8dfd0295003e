/** Keeps JIT compilation off while expanded statements are executed in a pipeline, and at no other time (own-settings.ts). */

import { expandedSettings } from '../../rewrite/own-settings.js';
import type { Output } from './output.js';
import type { OutstandingReplies } from './outstanding-replies.js';
import { accompany } from './own-statements.js';
import type { ServerState } from './server-state.js';

export class Jit {
  readonly #server: Output;
  readonly #replies: OutstandingReplies;
  readonly #state: ServerState;
  #isOff = false;
  #isOverWithUnit = false;

  constructor(server: Output, replies: OutstandingReplies, state: ServerState) {
    this.#server = server;
    this.#replies = replies;
    this.#state = state;
  }

  /**
   * An expanded statement is executed next: of many in a row only the first switches JIT off.
   * @param isOverWithUnit it is certain that the transaction ends with the client's next Sync
   */
  off(isOverWithUnit = false): void {
    if (this.#isOff) return;
    this.#isOff = true;
    this.#isOverWithUnit = isOverWithUnit;
    this.#execute(expandedSettings(this.#state.profile)?.apply);
  }

  /** Something of the client's own is planned or executed next. */
  on(): void {
    if (!this.#isOff) return;
    this.#isOff = false;
    this.#execute(expandedSettings(this.#state.profile)?.restore);
  }

  /** The client's Sync is sent next. After an error the server skips what is sent here. */
  endUnit(): void {
    if (this.#isOverWithUnit) this.lost();
    else this.on();
  }

  /** The transaction in which it was switched off is over. */
  lost(): void {
    this.#isOff = false;
  }

  #execute(sql: string | undefined): void {
    if (sql !== undefined) accompany(sql, this.#server, this.#replies);
  }
}
