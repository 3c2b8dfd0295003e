/** What a server tells of itself before its first ReadyForQuery. */
import { readParameterStatus, saysFatal } from '../wire/backend.js';
import type { Message } from '../wire/reader.js';
import { cancelKey } from '../wire/startup.js';
import { Backend } from '../wire/types.js';

export class Greeting {
  readonly #parameters = new Map<string, string>();
  #key: string | undefined;
  #hasSaidWhy = false;

  /** Of the ParameterStatus messages, name and value. */
  get parameters(): ReadonlyMap<string, string> {
    return this.#parameters;
  }

  /** As `cancelKey` gives it. */
  get key(): string | undefined {
    return this.#key;
  }

  /** Whether it has said why it ends the connection. */
  get hasSaidWhy(): boolean {
    return this.#hasSaidWhy;
  }

  note(message: Message): void {
    switch (message.type) {
      case Backend.ParameterStatus: {
        const { name, value } = readParameterStatus(message);
        this.#parameters.set(name, value);
        return;
      }
      case Backend.BackendKeyData:
        this.#key = cancelKey(message.buffer.subarray(message.start + 5, message.end));
        return;
      case Backend.ErrorResponse:
        this.#hasSaidWhy ||= saysFatal(message);
        return;
      default:
    }
  }
}
