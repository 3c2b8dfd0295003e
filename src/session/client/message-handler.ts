import type { Message } from '../../wire/reader.js';

/** What handles one type of the client's messages. */
export abstract class MessageHandler<Parts> {
  /** The parts of the session that the handler uses. */
  protected readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * Takes one message.
   * @returns a promise where the client's next message has to wait until it is fulfilled
   */
  abstract take(message: Message): Promise<void> | undefined;
}
