/** What a client sends, cut into messages, and kept until the session takes it. */
import { FramingLost, type Message, MessageReader } from '../../wire/reader.js';
import { FRONTEND_TYPES, Frontend, longestFrontend } from '../../wire/types.js';
import type { Output } from '../server/output.js';

/** So many bytes are read that the session cannot take yet. The end of a client that dies is not seen before they are read. */
const READ_AHEAD = 64 * 1024;
/** Smaller pieces are put together: each costs an object of its own. */
const SMALL_PIECE = 4096;

export class ClientMessages {
  readonly #server: Output;
  readonly #reader: MessageReader;
  readonly #arrived: () => void;
  #ahead: Buffer[] = [];
  #size = 0;
  /** `asked`: the server waits for a message of the login. Before the login is over it reads nothing else. */
  #login: 'silent' | 'asked' | 'over' = 'silent';
  #isOver = false;

  /**
   * @param limit the longest message taken, in bytes
   * @param arrived is called when bytes are given to be read
   */
  constructor(server: Output, limit: number, arrived: () => void) {
    this.#server = server;
    this.#arrived = arrived;
    const isUnread = (type: number) => type === Frontend.CopyData || type === Frontend.Password;
    this.#reader = new MessageReader(FRONTEND_TYPES, isUnread, limit, longestFrontend);
  }

  /** Whether bytes came that are no message: nothing after them can be read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether no more should be read from the client for now. */
  get isFull(): boolean {
    return this.#size >= READ_AHEAD;
  }

  /** Whether something has come that the session may not take before the server has answered the login. */
  get isHeld(): boolean {
    return this.#login !== 'over' && !this.#isOver && (this.#size > 0 || this.#reader.nextType !== undefined);
  }

  /** How many bytes of memory are kept of what the client has sent. */
  get kept(): number {
    return this.#size + this.#reader.kept;
  }

  /** Whether a Terminate is among what has come and was not taken: then the client wants what stands before it. */
  get saysGoodbye(): boolean {
    const bytes = Buffer.concat([this.#reader.unread, ...this.#ahead]);
    for (let at = this.#reader.missing; at + 5 <= bytes.length; at += 1 + bytes.readUInt32BE(at + 1))
      if (bytes[at] === Frontend.Terminate) return true;
    return false;
  }

  /** The server asks for a message of the login. */
  asked(): void {
    if (this.#login === 'silent') this.#login = 'asked';
  }

  /** The first ReadyForQuery came. */
  loggedIn(): void {
    this.#login = 'over';
  }

  /** Keeps what the client has sent. */
  push(chunk: Buffer): void {
    if (this.#isOver) return;
    const last = this.#ahead.at(-1);
    if (last && last.length + chunk.length <= SMALL_PIECE)
      this.#ahead[this.#ahead.length - 1] = Buffer.concat([last, chunk]);
    else this.#ahead.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The next message, where it is whole and may be taken. Bytes that are none go to the server as they came: when it has
   * dealt with what came before, it ends the connection over them, in its own words or without a word.
   * @throws ProtocolViolation for a message over the limit
   */
  next(): Message | undefined {
    while (!this.#isOver && this.#login !== 'silent') {
      const message = this.#login === 'asked' ? this.#answer() : this.#read();
      if (message) return message;
      const chunk = this.#ahead.shift();
      if (chunk === undefined) return undefined;
      this.#size -= chunk.length;
      this.#arrived();
      this.#reader.push(chunk);
    }
    return undefined;
  }

  /** PostgreSQL refuses whatever is no answer to what it asks in a login, by its type: so this goes on as it came too. */
  #answer(): Message | undefined {
    const type = this.#reader.nextType;
    if (type !== undefined && type !== Frontend.Password) return this.#giveUp();
    const message = this.#read();
    if (message?.last) this.#login = 'silent';
    return message;
  }

  #read(): Message | undefined {
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
    this.#ahead = [];
    this.#size = 0;
  }
}
