/**
 * Whether what was decided for a prepared statement holds without deciding it again. An INSERT is bound thousands of times, and all
 * that it was decided by is mostly what it was: the rules of the configuration, the catalog, what its names mean.
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

  /** Whether the server is certain to have what it should have for a statement. False: it has to be decided again. */
  hold({ grounds, look, lost, rewrite }: PreparedStatement): boolean {
    if (grounds === undefined || rewrite === undefined || lost) return false;
    const now = this.of(look, rewrite);
    return now?.policy === grounds.policy && now.seen === grounds.seen;
  }

  /**
   * What a text is decided by.
   * @returns undefined where its rewrite was made by something else than holds now; and for a text whose rewrite depends on more than
   * this tells: on how its bytes are read, or, as that of a DELETE, on where and how often it is executed
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
