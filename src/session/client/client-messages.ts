/** What a client sends, cut into messages, and kept until the session takes it. */
import { ReadAhead, saysGoodbye } from '../../wire/read-ahead.js';
import { FramingLost, type Message, MessageReader } from '../../wire/reader.js';
import { FRONTEND_TYPES, Frontend, longestFrontend } from '../../wire/types.js';
import type { Output } from '../server/output.js';

export class ClientMessages {
  readonly #server: Output;
  readonly #reader: MessageReader;
  readonly #arrived: () => void;
  readonly #ahead = new ReadAhead();
  #isOver = false;

  /**
   * @param limit the longest message taken, in bytes
   * @param arrived is called when the reader gets bytes that the client has sent
   */
  constructor(server: Output, limit: number, arrived: () => void) {
    this.#server = server;
    this.#arrived = arrived;
    const isUnread = (type: number) => type === Frontend.CopyData || type === Frontend.Password;
    this.#reader = new MessageReader(FRONTEND_TYPES, isUnread, limit, longestFrontend);
  }

  /** Whether the client has sent bytes that are no message: nothing after them can be read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether no more should be read from the client for now. */
  get isFull(): boolean {
    return this.#ahead.isFull;
  }

  /** How many bytes of memory hold what the client has sent. */
  get buffered(): number {
    return this.#ahead.size + this.#reader.buffered;
  }

  /** Whether a Terminate is among what the session has not taken yet: then the client wants everything before it carried out. */
  get saysGoodbye(): boolean {
    return saysGoodbye(this.#ahead.after(this.#reader.unread), this.#reader.missing);
  }

  /** Keeps what the client has sent. */
  push(chunk: Buffer): void {
    if (!this.#isOver) this.#ahead.push(chunk);
  }

  /**
   * The next message, if all of it has come. Bytes that are no message go to the server as they came: after it has answered what came
   * before, it ends the connection, with an error of its own or without.
   * @throws ProtocolViolation for a message over the limit
   */
  next(): Message | undefined {
    while (!this.#isOver) {
      const message = this.#read();
      if (message) return message;
      const chunk = this.#ahead.shift();
      if (chunk === undefined) return undefined;
      this.#arrived();
      this.#reader.push(chunk);
    }
    return undefined;
  }

  #read(): Message | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      if (!(error instanceof FramingLost)) throw error;
      this.#isOver = true;
      this.#server.write(this.#reader.unread);
      this.#ahead.clear();
      return undefined;
    }
  }
}
