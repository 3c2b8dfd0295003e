/** What an EXECUTE runs where the statement may have been prepared, or dropped, earlier in the same text. */
import type { Executable, Treatment } from './statement/treatment.js';

export class PreparedHere {
  readonly #before: (name: string) => Executable | undefined;
  readonly #here = new Map<string, Executable | undefined>();
  #allReleased = false;

  /** @param before gives what was prepared before the text */
  constructor(before: (name: string) => Executable | undefined) {
    this.#before = before;
  }

  /** Notes what a statement of the text does to the names. */
  note(treatment: Treatment): void {
    if (treatment.kind === 'prepare' && !treatment.again?.isTrial)
      this.#here.set(treatment.name, { ...treatment, replan: undefined });
    if (treatment.kind !== 'release') return;
    if (treatment.name !== undefined) this.#here.set(treatment.name, undefined);
    else {
      this.#here.clear();
      this.#allReleased = true;
    }
  }

  readonly executable = (name: string): Executable | undefined =>
    this.#allReleased || this.#here.has(name) ? this.#here.get(name) : this.#before(name);
}
