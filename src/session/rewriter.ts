/** Decides, for one session, what is sent to the server in place of a text that may delete. */
import { isAscii, isUtf8 } from 'node:buffer';
import { ProxyError } from '../errors.js';
import { REFUSED_SQL } from '../plan/violations.js';
import { quoteRelation } from '../sql/names.js';
import type { Statement } from '../sql/statement.js';
import { TransactionStatus } from '../wire/types.js';
import type { Translation } from './cascade-replies.js';
import type { SessionCircumstances, Surroundings } from './circumstances.js';
import type { Injection, Manner } from './injection.js';
import type { Names, Prepared } from './prepared.js';
import { partOf, targetsOfPrepared, UNWATCHED } from './prepared.js';
import type { ExpectedReplies } from './replies.js';
import {
  type Means,
  type Part,
  type Rewrite,
  rewrite,
  targetsOf,
  unchanged,
  unsettlesNow,
} from './rewrite.js';
import type { ServerState } from './server-state.js';
import type { StatementCache } from './statement-cache.js';

export interface RewriterOptions {
  readonly statements: StatementCache;
  readonly circumstances: SessionCircumstances;
  readonly injection: Injection;
  readonly prepared: Names<Prepared>;
  readonly replies: ExpectedReplies;
  readonly state: ServerState;
  /** Refuse what may delete and is not understood; else pass it on and say so through `passed`. */
  readonly reject: boolean;
  readonly passed: (error: ProxyError) => void;
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
  async decide(bytes: Buffer, types: readonly number[], manner: Manner): Promise<Decision> {
    try {
      const text = decode(bytes, this.#options.state);
      // The server refuses bytes that are no text, and says it better; unless its encoding is being changed.
      if (text === undefined && this.#options.replies.settled) return PASS;
      if (text === undefined)
        throw new ProxyError('PGC_ENCODING', { encoding: encodingOf(this.#options.state) });
      const statements = this.#options.statements.statements(text);
      return statements === undefined
        ? await this.#unparsable(text, types, manner)
        : await this.#rewrite(text, statements, manner);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      return this.#refuse(error);
    }
  }

  /** How answers to a rewritten text are turned into those to the client's own. */
  translation(rewrite: Rewrite, text: Buffer): Translation {
    // What is prepared behind a DEALLOCATE, before its answer, stays.
    const known = rewrite.parts.some(({ kind }) => kind === 'release')
      ? this.#options.prepared.snapshot()
      : [];
    const completed = (part: Part) => this.#completed(part, known, rewrite, text);
    const moved = () => this.#options.circumstances.note('settings');
    return { rewrite, serverVersion: this.#options.state.version, completed, moved };
  }

  async #rewrite(text: string, statements: readonly Statement[], manner: Manner): Promise<Decision> {
    const { circumstances, injection, prepared, reject, passed, replies, state } = this.#options;
    if (statements.every(({ kind }) => kind === 'other')) return PASS;
    const executed = statements.flatMap((each) => (each.kind === 'hidden' ? each.executes : []));
    const names = [
      ...statements.flatMap(targetsOf),
      ...executed.flatMap((name) => targetsOfPrepared(prepared.get(name))),
    ];
    // The question goes out in UTF-8.
    const encoding = encodingOf(state);
    if (encoding !== 'UTF8' && names.some((name) => !isAscii(Buffer.from(quoteRelation(name)))))
      throw new ProxyError('PGC_ENCODING', { encoding });
    const asIs: Decision = { kind: 'rewrite', rewrite: unchanged(text, statements) };
    if (names.length === 0 && executed.length === 0) return asIs;
    // In a failed transaction nothing can be asked, and the server refuses everything but its end.
    // The status is how things stand only where everything sent has been answered.
    const failed = replies.settled && state.status === TransactionStatus.Failed && manner === 'query';
    if (failed && statements.length === 1) return asIs;
    if (failed) throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });

    const found = await circumstances.look(names, (sql) => injection.ask(sql, manner));
    if ('kind' in found) return { kind: found.kind };
    const { touched } = circumstances;
    if (!found.active && !behindUnsettling(statements, touched)) return asIs;
    if (!found.active) throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });
    const make = () =>
      rewrite(text, statements, {
        graph: found.graph,
        meaning: found.meaning,
        prepared: (name) => describePrepared(prepared.get(name)),
        touched,
        reject,
      });
    const key = cacheKey(text, names.map(found.meaning), touched, found);
    const made = executed.length > 0 ? make() : this.#options.statements.rewrite(key, make);
    made.passed.forEach(passed);
    if (made.changed && encoding !== 'UTF8' && !isAscii(Buffer.from(made.sql)))
      throw new ProxyError('PGC_ENCODING', { encoding });
    return { kind: 'rewrite', rewrite: made };
  }

  /** The server's own error, if it has one; else it knows a grammar that is not known here. */
  async #unparsable(text: string, types: readonly number[], manner: Manner): Promise<Decision> {
    const answer = await this.#options.injection.parse(text, types, manner);
    if (answer.kind !== 'value') return { kind: answer.kind };
    throw new ProxyError('PGC_GRAMMAR');
  }

  /** The server has executed a statement that concerns prepared ones. */
  #completed(
    part: Part,
    known: readonly (readonly [string, Prepared])[],
    rewrite: Rewrite,
    text: Buffer,
  ): void {
    const { prepared } = this.#options;
    if (part.kind === 'prepare') prepared.set(part.name, { ...UNWATCHED, text: Buffer.from(text), rewrite });
    if (part.kind !== 'release') return;
    for (const [name, entry] of known) {
      // The unnamed statement is none that DEALLOCATE ALL or DISCARD ALL drop.
      const meant = part.name === undefined ? name !== '' : name === part.name;
      if (meant && prepared.get(name) === entry) prepared.set(name, undefined);
    }
  }

  #refuse(error: ProxyError): Decision {
    if (!this.#options.reject && error.sqlstate === '0A000') {
      this.#options.passed(error);
      return PASS;
    }
    return {
      kind: 'rewrite',
      rewrite: {
        text: '',
        sql: REFUSED_SQL,
        parts: [{ kind: 'refused', error }],
        copied: [],
        changed: true,
        targets: [],
        passed: [],
      },
    };
  }
}

function cacheKey(
  text: string,
  meanings: readonly (number | null)[],
  touched: boolean,
  { graphId }: Surroundings,
): string {
  return `${graphId}\0${meanings.join(',')}\0${touched}\0${text}`;
}

/** Whether a statement that deletes stands behind one that may switch cascades on again. */
function behindUnsettling(statements: readonly Statement[], touched: boolean): boolean {
  const first = statements.findIndex((statement) => unsettlesNow(statement, touched));
  return first >= 0 && statements.slice(first + 1).some((statement) => targetsOf(statement).length > 0);
}

function describePrepared(prepared: Prepared | undefined): ReturnType<Means['prepared']> {
  return { expanded: partOf(prepared)?.kind === 'cascade', targets: targetsOfPrepared(prepared) };
}

/** In these a byte below 128 can be half of a character, so that a text cannot be read without knowing them all. */
const TWO_BYTE_ENCODINGS = /^(?:SJIS|SHIFT_JIS_2004|BIG5|GBK|GB18030|UHC|JOHAB)$/;

/**
 * The text in characters; in an encoding of one byte a character, one that stands for each byte: keywords and ASCII
 * names are right, and a text with others is never sent changed.
 * @returns undefined where the bytes are not what the client says they are
 * @throws ProxyError where they could be read in two ways
 */
function decode(bytes: Buffer, state: ServerState): string | undefined {
  const encoding = encodingOf(state);
  if (!isAscii(bytes) && TWO_BYTE_ENCODINGS.test(encoding))
    throw new ProxyError('PGC_ENCODING', { encoding });
  if (encoding === 'UTF8' && !isUtf8(bytes)) return undefined;
  const text = bytes.toString(encoding === 'UTF8' ? 'utf8' : 'latin1');
  if (state.parameter('standard_conforming_strings') === 'off' && text.includes('\\'))
    throw new ProxyError('PGC_STRINGS');
  return text;
}

function encodingOf(state: ServerState): string {
  return state.parameter('client_encoding')?.toUpperCase() ?? 'unknown';
}
