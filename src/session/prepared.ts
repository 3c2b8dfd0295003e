/**
 * The prepared statements and portals of a session that the proxy has a hand in. All others are the server's affair.
 *
 * A name is entered when its Parse is sent, as the Bind behind it in the same pipeline needs it. Where the server then
 * refuses or skips the Parse, what the name meant before is put back.
 */
import type { SessionEffect } from '../sql/gate.js';
import type { Part, Rewrite } from './rewrite.js';

export interface Prepared {
  readonly text: string;
  readonly types: readonly number[];
  /** The text may delete, so it is looked at again when it is bound; undefined where it cannot. */
  readonly rewrite: Rewrite | undefined;
  /** What executing it may do to the statements after it. */
  readonly effect: SessionEffect;
}

export interface Portal {
  readonly prepared: Prepared;
  /** Rows a RETURNING gave so far, where the client takes them in portions. */
  rows: number;
}

export class Names<T> {
  readonly #entries = new Map<string, T>();

  get(name: string): T | undefined {
    return this.#entries.get(name);
  }

  /** @returns what takes the change back */
  set(name: string, value: T | undefined): () => void {
    const before = this.#entries.get(name);
    this.#put(name, value);
    return () => this.#put(name, before);
  }

  clear(): void {
    this.#entries.clear();
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  #put(name: string, value: T | undefined): void {
    if (value === undefined) this.#entries.delete(name);
    else this.#entries.set(name, value);
  }
}

/** What a prepared statement's answers are turned into; in the extended protocol a text is one statement. */
export function partOf(prepared: Prepared | undefined): Part | undefined {
  const part = prepared?.rewrite?.parts[0];
  return part?.kind === 'forward' ? undefined : part;
}
