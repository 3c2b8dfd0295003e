/** What an EXECUTE runs where the statement may have been prepared, or dropped, earlier in the same text. */
import type { Executable } from './statement/executable.js';
import type { ReplyRule } from './statement/reply-rule.js';

export class PreparedHere {
  readonly #before: (name: string) => Executable | undefined;
  readonly #here = new Map<string, Executable | undefined>();
  #allReleased = false;

  /** @param before gives what was prepared before the text */
  constructor(before: (name: string) => Executable | undefined) {
    this.#before = before;
  }

  /** Notes what a statement of the text does to the names. */
  note(rule: ReplyRule): void {
    if (rule.kind === 'prepare') this.#here.set(rule.name, { ...rule, replan: undefined });
    if (rule.kind !== 'release') return;
    if (rule.name !== undefined) this.#here.set(rule.name, undefined);
    else {
      this.#here.clear();
      this.#allReleased = true;
    }
  }

  readonly executable = (name: string): Executable | undefined =>
    this.#allReleased || this.#here.has(name) ? this.#here.get(name) : this.#before(name);
}
