/** Decides, for one session, what is sent to the server in place of a text that may delete. */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../errors.js';
import { REFUSED_SQL } from '../plan/violations.js';
import type { Statement } from '../sql/statement.js';
import { TransactionStatus } from '../wire/types.js';
import type { SessionCircumstances, Surroundings } from './circumstances.js';
import type { Injection, Manner } from './injection.js';
import type { Names, Prepared } from './prepared.js';
import { partOf } from './prepared.js';
import { type Rewrite, rewrite, targetsOf } from './rewrite.js';
import type { StatementCache } from './statement-cache.js';

export interface RewriterOptions {
  readonly statements: StatementCache;
  readonly circumstances: SessionCircumstances;
  readonly injection: Injection;
  readonly prepared: Names<Prepared>;
  /** Refuse what may delete and is not understood; else pass it on and say so through `passed`. */
  readonly reject: boolean;
  readonly passed: (error: ProxyError) => void;
}

/** What the server last reported of the session. */
export interface ServerState {
  /** The byte of the last ReadyForQuery. */
  readonly status: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * `pass`: the text goes on as it is, and holds nothing that deletes. `failed`: the client has got an error in its place.
 * `skipped`: the server skips it after an earlier error, so it may go on as it is.
 */
export type Decision =
  | { readonly kind: 'pass' | 'failed' | 'skipped' }
  | { readonly kind: 'rewrite'; readonly rewrite: Rewrite };

const PASS: Decision = { kind: 'pass' };

export class Rewriter {
  readonly #options: RewriterOptions;

  constructor(options: RewriterOptions) {
    this.#options = options;
  }

  /**
   * @param bytes the text as it came
   * @param manner how the server can be asked at this point
   */
  async decide(
    bytes: Buffer,
    types: readonly number[],
    manner: Manner,
    state: ServerState,
  ): Promise<Decision> {
    try {
      const text = decode(bytes, state);
      const statements = this.#options.statements.statements(text);
      return statements === undefined
        ? await this.#unparsable(text, types, manner)
        : await this.#rewrite(text, statements, manner, state);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      return this.#refuse(error);
    }
  }

  async #rewrite(
    text: string,
    statements: readonly Statement[],
    manner: Manner,
    state: ServerState,
  ): Promise<Decision> {
    const deleting = statements.filter(({ kind }) => kind !== 'other');
    if (deleting.length === 0) return PASS;
    // In a failed transaction nothing can be asked, and the server refuses everything but its end.
    const failed = state.status === TransactionStatus.Failed && manner === 'query';
    if (failed && statements.length === 1) return PASS;
    if (failed) throw new ProxyError('PGC_AFTER_DDL', { table: 'a table' });

    const { circumstances, injection, prepared, reject, passed } = this.#options;
    const names = deleting.flatMap(targetsOf);
    const found = await circumstances.look(names, (sql) => injection.ask(sql, manner));
    if ('kind' in found) return found as Decision;
    if (!found.active) return PASS;
    const make = () =>
      rewrite(text, statements, {
        graph: found.graph,
        meaning: found.meaning,
        isExpanded: (name) => partOf(prepared.get(name)) !== undefined,
        reject,
        passed,
      });
    const session = deleting.some((each) => each.kind === 'hidden' && each.executes.length > 0);
    const key = cacheKey(text, names.map(found.meaning), found);
    const made = session ? make() : this.#options.statements.rewrite(key, make);
    if (made.changed && !isUtf8(state) && !isAscii(Buffer.from(made.sql)))
      throw new ProxyError('PGC_ENCODING', { encoding: encodingOf(state) });
    return { kind: 'rewrite', rewrite: made };
  }

  /** The server's own error, if it has one; else it knows a grammar that is not known here. */
  async #unparsable(text: string, types: readonly number[], manner: Manner): Promise<Decision> {
    const answer = await this.#options.injection.parse(text, types, manner);
    if (answer.kind !== 'value') return { kind: answer.kind };
    throw new ProxyError('PGC_GRAMMAR');
  }

  #refuse(error: ProxyError): Decision {
    if (!this.#options.reject && error.sqlstate === '0A000') {
      this.#options.passed(error);
      return PASS;
    }
    return {
      kind: 'rewrite',
      rewrite: { sql: REFUSED_SQL, parts: [{ kind: 'refused', error }], copied: [], changed: true },
    };
  }
}

function cacheKey(text: string, meanings: readonly (number | null)[], { graphId }: Surroundings): string {
  return `${graphId}\0${meanings.join(',')}\0${text}`;
}

/** @throws ProxyError where bytes could be read in two ways */
function decode(bytes: Buffer, state: ServerState): string {
  if (!isAscii(bytes) && !isUtf8(state))
    throw new ProxyError('PGC_ENCODING', { encoding: encodingOf(state) });
  const text = bytes.toString('utf8');
  if (state.parameters.get('standard_conforming_strings') === 'off' && text.includes('\\'))
    throw new ProxyError('PGC_STRINGS');
  return text;
}

function encodingOf(state: ServerState): string {
  return state.parameters.get('client_encoding') ?? 'unknown';
}

function isUtf8(state: ServerState): boolean {
  return /^(?:utf-?8|unicode)$/i.test(encodingOf(state));
}
