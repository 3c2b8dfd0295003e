/** What EXECUTE of a prepared statement runs, and what it would run were it prepared now. Pure. */
import type { Steps } from '../pace.js';
import type { Statement } from '../sql/statement/statement.js';
import type { RewriteContext } from './context.js';
import type { Executable, Replanned, ReplyRule } from './reply-rule.js';
import { expand } from './statement.js';
import type { Rewrite } from './text.js';

/** What the texts of prepared statements mean. */
export type PreparedTexts = ReadonlyMap<string, readonly Statement[] | undefined>;

const FORWARD: ReplyRule = { kind: 'forward' };

/**
 * @param prepared what was made of the statement when it was prepared
 * @param check throws where its text does not mean now what it meant then
 */
export function executableOf(
  { text, sql, marker, targets, rules }: Rewrite,
  texts: PreparedTexts,
  means: RewriteContext,
  check: () => void,
): Executable {
  const [part = FORWARD] = rules;
  const runs = part.kind === 'cascade' ? { ...part, marker } : part;
  function* again(): Steps<Replanned> {
    check();
    const [statement] = texts.get(text) ?? [];
    if (statement === undefined) return { sql: text, rule: FORWARD, error: undefined };
    // What was prepared never fails on mere suspicion.
    const own = text.slice(statement.start, statement.end);
    const now = yield* expand(own, statement, { ...means, retries: false });
    return { sql: now.sql ?? text, rule: now.rules[0] ?? FORWARD, error: now.error };
  }
  return { targets, sql, executeRule: runs, replan: again };
}
