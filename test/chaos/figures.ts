/** What a campaign has seen. */
export class Figures {
  readonly #title: string;
  readonly #outcomes = new Map<string, number>();
  readonly defects: string[] = [];
  readonly #notes: string[] = [];
  cases = 0;

  constructor(title: string) {
    this.#title = title;
  }

  /** A case has ended like this. */
  add(outcome: string): void {
    this.cases++;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  /** @param name that tells how to make it happen again */
  addDefects(name: string, defects: readonly string[]): void {
    this.defects.push(...defects.map((defect) => `${name}: ${defect}`));
  }

  /** What else was measured, if anything was. */
  addNote(note: string | undefined): void {
    if (note !== undefined) this.#notes.push(note);
  }

  count(outcome: string): number {
    return this.#outcomes.get(outcome) ?? 0;
  }

  toString(): string {
    const outcomes = [...this.#outcomes].sort(([, one], [, other]) => other - one);
    const listed = outcomes.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    const notes = this.#notes.map((note) => `\n  ${note}`).join('');
    return `${this.#title}: ${this.cases} cases: ${listed}; ${this.defects.length} defects${notes}`;
  }
}
