/** What a room of src is, and which rooms several of them may import from. */

export interface Room {
  /** As CONTRIBUTING says it. */
  readonly purpose: string;
  /** The rooms that it may import from beside itself; `sql` stands for all of sql. */
  readonly may: readonly string[];
  /** Those from which it may import types only: what is configured, and what is told of it, comes as arguments. */
  readonly types?: readonly string[];
}

export const ground = ['graph', 'profiles', 'profiles/families', 'sql', 'errors', 'pace'];
export const planning = ['plan', ...ground];
export const rewriting = ['rewrite', 'render', 'wire', ...planning];
export const answering = ['session/answers', 'session/server', ...rewriting];
export const seeing = ['session/catalog/told', 'session/catalog', 'session/policy'];
export const deciding = ['session/decide', ...seeing, ...answering];
