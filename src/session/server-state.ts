import { readParameterStatus } from '../wire/backend.js';
import type { Message } from '../wire/reader.js';

/** What the server last reported of a session. */
export class ServerState {
  readonly #parameters = new Map<string, string>();
  #status = 0;
  #version = 0;

  /** The byte of the last ReadyForQuery; 0 before the first. */
  get status(): number {
    return this.#status;
  }

  /** The major version; 0 where the server does not say. */
  get version(): number {
    return this.#version;
  }

  parameter(name: string): string | undefined {
    return this.#parameters.get(name);
  }

  noteStatus(readyForQuery: Message): void {
    this.#status = readyForQuery.buffer[readyForQuery.start + 5] ?? 0;
  }

  /** @returns the parameter's name */
  noteParameter(parameterStatus: Message): string {
    const { name, value } = readParameterStatus(parameterStatus);
    this.#parameters.set(name, value);
    if (name === 'server_version') this.#version = Number.parseInt(value, 10) || 0;
    return name;
  }
}
