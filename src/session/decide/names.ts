/**
 * What the names of prepared statements and portals stand for.
 *
 * A name is kept as the client's bytes: a string with one character for each. The server knows a name by its first 63 bytes
 * (NAMEDATALEN - 1) in the server's encoding; longer names that begin alike are one.
 */

import { bytesIn, inUtf8 } from '../../sql/encoding/letters.js';
import { encodingOf } from '../server/encoding.js';
import type { ServerState } from '../server/server-state.js';

const LONGEST = 63;

interface Entry<T> {
  readonly name: string;
  readonly value: T;
}

/** The names that a client has given to things of one sort. */
export class ClientNames<T> {
  readonly #known: (name: string) => string;
  /** Undefined before there is one: most sessions have none, and an empty Map takes 200 bytes of each. */
  #entries: Map<string, Entry<T>> | undefined;

  /** @param known gives what the server knows a name by */
  constructor(known: (name: string) => string) {
    this.#known = known;
  }

  get(name: string): T | undefined {
    // Most sessions have no name at all, and ask with every query.
    return this.isEmpty ? undefined : this.#entries?.get(this.#known(name))?.value;
  }

  /** @returns what takes the change back */
  set(name: string, value: T | undefined): () => void {
    const key = this.#known(name);
    const before = this.#entries?.get(key);
    this.#put(key, value === undefined ? undefined : { name, value });
    return () => this.#put(key, before);
  }

  /** @returns what takes it back; undefined where there was nothing to forget */
  forget(name: string): (() => void) | undefined {
    return this.get(name) && this.set(name, undefined);
  }

  get isEmpty(): boolean {
    return this.#entries === undefined || this.#entries.size === 0;
  }

  snapshot(): readonly (readonly [string, T])[] {
    return [...(this.#entries?.values() ?? [])].map(({ name, value }) => [name, value]);
  }

  clear(): void {
    // To clear a Map makes a new table.
    if (!this.isEmpty) this.#entries?.clear();
  }

  #put(key: string, entry: Entry<T> | undefined): void {
    if (entry === undefined) {
      this.#entries?.delete(key);
      return;
    }
    this.#entries ??= new Map();
    this.#entries.set(key, entry);
  }
}

/**
 * What the server knows a name by. The server converts the name, then cuts it. A name that goes from one encoding to another,
 * neither of them UTF8, is cut here as it came.
 */
export function knownName(name: string, state: ServerState): string {
  return converted(name, encodingOf(state), state.parameter('server_encoding')).slice(0, LONGEST);
}

function converted(name: string, client: string, server: string | undefined): string {
  if (client === server || server === undefined) return name;
  if (server === 'UTF8') return inUtf8(client, name);
  return client === 'UTF8' ? bytesIn(server, Buffer.from(name, 'latin1').toString('utf8'), unsayable) : name;
}

/** The name that an SQL text gives, as the bytes in which the client would say it in the protocol. */
export function nameInText(name: string, encoding: string): string {
  return bytesIn(encoding, name, unsayable);
}

/** Names that cannot be said in an encoding stay different from each other and from all others: no name has a zero in it. */
function unsayable(letter: string): string {
  return `\0${letter.codePointAt(0)?.toString(16)}`;
}

/** A name as errors show it: cut as the server cuts it. */
export function shownName(name: string): string {
  return Buffer.from(name.slice(0, LONGEST), 'latin1').toString('utf8');
}
