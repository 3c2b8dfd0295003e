/** Counts the rows that the steps of a cascade have taken, by the tags of their answers. */
import type { Step } from '../../../render/ordered/step.js';
import type { CountedRows } from '../../../render/single/counts.js';
import { readTag, rowsInTag } from '../../../wire/backend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend } from '../../../wire/types.js';

export class TakenRows {
  readonly #counts: Map<Step, number>;

  /** @param steps those that take rows, each of which may be sent several times or not at all */
  constructor(steps: readonly Step[]) {
    this.#counts = new Map(steps.map((step) => [step, 0]));
  }

  /** Takes an answer to a step. */
  hear(step: Step, message: Message): void {
    if (message.type !== Backend.CommandComplete) return;
    this.#counts.set(step, this.of(step) + rowsInTag(readTag(message)));
  }

  /** Adds what the same steps have taken in another transaction. */
  add(others: TakenRows): void {
    for (const [step, count] of others.#counts) this.#counts.set(step, this.of(step) + count);
  }

  of(step: Step): number {
    return this.#counts.get(step) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Of each table, in the order of the steps; undefined where a step takes rows of several, which its tag does not tell apart. */
  get rows(): readonly CountedRows[] | undefined {
    const steps = [...this.#counts];
    if (steps.some(([{ takes }]) => takes === 'several')) return undefined;
    return steps.flatMap(([{ takes }, rows]) =>
      takes === undefined || takes === 'several' ? [] : [{ ...takes, rows }],
    );
  }
}
