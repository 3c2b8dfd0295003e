/** What EXECUTE of a prepared statement runs, and what it would run were it prepared now. Pure. */
import type { Steps } from '../pace.js';
import type { Statement } from '../sql/statement/statement.js';
import type { Means } from './context.js';
import type { Again, Executable, Part } from './reply-rule.js';
import { expand } from './statement.js';
import type { Rewrite } from './text.js';

/** What the texts of prepared statements mean. */
export type PreparedTexts = ReadonlyMap<string, readonly Statement[] | undefined>;

const FORWARD: Part = { kind: 'forward' };

/**
 * @param prepared what was made of the statement when it was prepared
 * @param check throws where its text does not mean now what it meant then
 */
export function executableOf(
  { text, sql, marker, targets, parts }: Rewrite,
  texts: PreparedTexts,
  means: Means,
  check: () => void,
): Executable {
  const [part = FORWARD] = parts;
  const runs = part.kind === 'cascade' ? { ...part, marker } : part;
  function* again(): Steps<Again> {
    check();
    const [statement] = texts.get(text) ?? [];
    if (statement === undefined) return { sql: text, part: FORWARD, error: undefined };
    // What was prepared never fails on mere suspicion.
    const own = text.slice(statement.at, statement.behind);
    const now = yield* expand(own, statement, { ...means, retries: false });
    return { sql: now.sql ?? text, part: now.parts[0] ?? FORWARD, error: now.error };
  }
  return { targets, sql, runs, again };
}
