/**
 * What a client answers to the server's questions in a login. PostgreSQL reads nothing else before the login is over, and so
 * nothing else is read here: all other bytes wait for the session.
 */

import type { Output } from '../session/server/output.js';
import { ReadAhead, saysGoodbye } from '../wire/read-ahead.js';
import { FramingLost, type Message, MessageReader } from '../wire/reader.js';
import { FRONTEND_TYPES, Frontend, longestFrontend } from '../wire/types.js';

export class ClientAnswers {
  readonly #server: Output;
  readonly #reader: MessageReader;
  readonly #ahead = new ReadAhead();
  #isAsked = false;
  #isOver = false;

  /** @param limit the longest message taken, in bytes */
  constructor(server: Output, limit: number) {
    this.#server = server;
    const isUnread = (type: number) => type === Frontend.Password;
    this.#reader = new MessageReader(FRONTEND_TYPES, isUnread, limit, longestFrontend);
  }

  /** Whether something came in place of an answer: nothing after it is read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether no more should be read from the client for now. */
  get isFull(): boolean {
    return this.#ahead.isFull;
  }

  /** Whether something has come that waits for a question of the server, or for the end of the login. */
  get isHeld(): boolean {
    return !this.#isOver && (this.#ahead.size > 0 || this.#reader.nextType !== undefined);
  }

  /** Whether a part of an answer was given, and the rest has not come yet. */
  get midway(): boolean {
    return this.#reader.midway;
  }

  /** Whether a Terminate is among what has come: then the client wants what stands before it. */
  get saysGoodbye(): boolean {
    return saysGoodbye(this.unread, this.#reader.missing);
  }

  /** What has come and was not given. */
  get unread(): Buffer {
    return this.#ahead.after(this.#reader.unread);
  }

  /** The server waits for an answer: one message. */
  asked(): void {
    this.#isAsked = true;
  }

  /** Keeps what the client has sent. */
  push(chunk: Buffer): void {
    if (!this.#isOver) this.#ahead.push(chunk);
  }

  /**
   * The client's answer, in pieces as they come, where the server waits for one. PostgreSQL refuses whatever is none by its
   * type and length, in its own words: that goes to the server as it came.
   * @throws ProtocolViolation for an answer over the limit
   */
  next(): Message | undefined {
    while (this.#isAsked && !this.#isOver) {
      const message = this.#read();
      if (message) {
        this.#isAsked = !message.last;
        return message;
      }
      const chunk = this.#ahead.shift();
      if (chunk === undefined) return undefined;
      this.#reader.push(chunk);
    }
    return undefined;
  }

  #read(): Message | undefined {
    const type = this.#reader.nextType;
    if (type !== undefined && type !== Frontend.Password) return this.#giveUp();
    try {
      return this.#reader.next();
    } catch (error) {
      if (!(error instanceof FramingLost)) throw error;
      return this.#giveUp();
    }
  }

  #giveUp(): undefined {
    this.#isOver = true;
    this.#server.write(this.#reader.unread);
    this.#ahead.clear();
  }
}
