/**
 * Questions of the proxy's own to a client that logs in, and its answers. PostgreSQL reads nothing but answers before the login is
 * over: all that comes after them is kept, within the bounds of a `ReadAhead`, for the session.
 */
import type { Duplex } from 'node:stream';
import { ReadAhead } from '../../wire/read-ahead.js';
import { MessageReader, ProtocolViolation } from '../../wire/reader.js';
import { FRONTEND_TYPES, Frontend, longestFrontend } from '../../wire/types.js';
import { Listening } from './listening.js';

/** PG_MAX_SASL_MESSAGE_LENGTH in auth-sasl.c. */
const LONGEST_ANSWER = 1024;

interface Waiting {
  readonly resolve: (answer: Buffer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class ClientDialogue {
  readonly #client: Duplex;
  readonly #reader = new MessageReader(FRONTEND_TYPES, () => false, LONGEST_ANSWER, longestFrontend);
  readonly #ahead = new ReadAhead();
  readonly #listening = new Listening();
  #waiting: Waiting | undefined;
  #isOver = false;

  /** @param client paused */
  constructor(client: Duplex) {
    this.#client = client;
    const over = () => this.#over();
    for (const event of ['end', 'close', 'finish']) this.#listening.to(client, event, over);
    this.#listening.to(client, 'data', (chunk: Buffer) => {
      this.#ahead.push(chunk);
      if (this.#ahead.isFull) client.pause();
      this.#read();
    });
    this.#isOver = client.readableEnded || client.destroyed || client.writableEnded;
    if (!this.#isOver) client.resume();
  }

  /**
   * @param question a message
   * @returns what the client answers: the content of a PasswordMessage, SASLInitialResponse or SASLResponse; undefined where it
   * answers no more
   * @throws ProtocolViolation for anything else
   */
  ask(question: Buffer): Promise<Buffer | undefined> {
    if (this.#isOver) return Promise.resolve(undefined);
    this.#client.write(question);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#read();
    });
  }

  /** Ends it, and pauses the client. @returns what the client has sent, and nobody has read */
  end(): Buffer {
    this.#listening.stop();
    this.#client.pause();
    return this.#ahead.after(this.#reader.unread);
  }

  #read(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      const answer = this.#next();
      if (answer === undefined) return;
      this.#waiting = undefined;
      waiting.resolve(answer);
    } catch (error) {
      this.#waiting = undefined;
      waiting.reject(error);
    }
  }

  #next(): Buffer | undefined {
    for (;;) {
      const type = this.#reader.nextType;
      // Of what is no answer nothing more is waited for.
      if (type !== undefined && type !== Frontend.Password)
        throw new ProtocolViolation(`expected SASL response, got message type ${type}`);
      const message = this.#reader.next();
      if (message) return Buffer.from(message.buffer.subarray(message.start + 5, message.end));
      const chunk = this.#ahead.shift();
      if (chunk === undefined) return undefined;
      this.#reader.push(chunk);
    }
  }

  #over(): void {
    this.#isOver = true;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }
}
