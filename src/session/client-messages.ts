/** What a client sends, cut into messages. */
import { FramingLost, type Message, MessageReader } from '../wire/reader.js';
import { FRONTEND_TYPES, Frontend, longestFrontend } from '../wire/types.js';
import type { Output } from './output.js';

export class ClientMessages {
  readonly #server: Output;
  readonly #reader: MessageReader;
  #isOver = false;

  /** @param limit the longest message taken, in bytes */
  constructor(server: Output, limit: number) {
    this.#server = server;
    const isCopyData = (type: number) => type === Frontend.CopyData;
    this.#reader = new MessageReader(FRONTEND_TYPES, isCopyData, limit, longestFrontend);
  }

  /** Whether bytes came that are no message: nothing behind them can be read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes what the client has sent; all messages before it have been read. */
  push(chunk: Buffer): void {
    if (!this.#isOver) this.#reader.push(chunk);
  }

  /**
   * The next message, where it is whole. Bytes that are none go to the server as they came: when it has dealt with what
   * came before, it ends the connection over them, in its own words or without a word.
   * @throws ProtocolViolation for a message over the limit
   */
  next(): Message | undefined {
    try {
      return this.#isOver ? undefined : this.#reader.next();
    } catch (error) {
      if (!(error instanceof FramingLost)) throw error;
      this.#isOver = true;
      this.#server.write(this.#reader.unread);
      return undefined;
    }
  }
}
