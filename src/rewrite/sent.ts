/** A text to be sent, in the making, which knows where in it runs of the client's text stand. */
import type { Copied } from '../render/splice.js';

export class Sent {
  readonly #runs: string[] = [];
  readonly #copied: Copied[] = [];
  #length = 0;

  get sql(): string {
    return this.#runs.join('');
  }

  get length(): number {
    return this.#length;
  }

  get copied(): readonly Copied[] {
    return this.#copied;
  }

  /**
   * @param copied the runs of a client's text in `sql`
   * @param offset how many characters of the whole text stand before that client's text
   */
  add(sql: string, copied: readonly Copied[] = [], offset = 0): void {
    for (const { client, sent, length } of copied)
      this.#copied.push({ client: offset + client, sent: this.#length + sent, length });
    this.#runs.push(sql);
    this.#length += sql.length;
  }

  /** Adds a run of the client's text as it is. */
  copy(text: string, start: number, end: number): void {
    if (end > start) this.add(text.slice(start, end), [{ client: start, sent: 0, length: end - start }]);
  }
}
