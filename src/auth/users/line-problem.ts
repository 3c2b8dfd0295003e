/** What cannot be used of a file, by its line. It repeats no secret. */
export interface LineProblem {
  readonly line: number;
  readonly text: string;
}
