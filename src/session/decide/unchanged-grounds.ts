/**
 * Tells, without deciding again, whether what was decided for a prepared statement still holds. An INSERT may be bound thousands of times, and
 * what it was decided by rarely changes meanwhile: the policy, the catalog, what its names mean.
 */
import { isAscii } from 'node:buffer';
import type { Rewrite } from '../../rewrite/text.js';
import { hasLetters } from '../../sql/encoding/raw-bytes.js';
import type { Look } from '../../sql/lexer/look.js';
import type { DeciderOptions } from './decider-options.js';
import type { Grounds, PreparedStatement } from './prepared-statement.js';

export class UnchangedGrounds {
  readonly #options: Pick<DeciderOptions, 'catalog' | 'policy'>;

  constructor(options: Pick<DeciderOptions, 'catalog' | 'policy'>) {
    this.#options = options;
  }

  /** Whether it is certain that the server has what it should have for a statement; else the statement has to be decided again. */
  hold({ grounds, look, lost, rewrite }: PreparedStatement): boolean {
    if (grounds === undefined || rewrite === undefined || lost) return false;
    const now = this.of(look, rewrite);
    return now?.policy === grounds.policy && now.seen === grounds.seen;
  }

  /**
   * The grounds on which a text is decided now.
   * @returns undefined where its rewrite was made on others; and for a text whose rewrite depends on more than the grounds tell: on how
   * its bytes are read, or, as that of a DELETE, on where and how often it is executed
   */
  of({ text, hasBackslashes }: Look, { graphId, sql, targets, treatments }: Rewrite): Grounds | undefined {
    const { catalog, policy } = this.#options;
    const isPlain = treatments.every(({ kind }) => ['forward', 'guarded', 'followUp'].includes(kind));
    if (!isPlain || !policy.current.active || hasBackslashes || !isAscii(text) || hasLetters(sql))
      return undefined;
    const seen = catalog.grounds(targets, graphId);
    return seen === undefined ? undefined : { policy: policy.current, seen };
  }
}
