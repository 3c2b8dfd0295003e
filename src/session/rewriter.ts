/** Decides, for one session, what is sent to the server in place of a text that may delete. */
import { isAscii, isUtf8 } from 'node:buffer';
import { ProxyError } from '../errors.js';
import { quoteRelation } from '../sql/names.js';
import { parserReady } from '../sql/parser.js';
import { type Statement, targetsOf } from '../sql/statement.js';
import { TransactionStatus } from '../wire/types.js';
import type { Translation } from './cascade-replies.js';
import type { SessionCircumstances, Surroundings } from './circumstances.js';
import { encodingOf, inAscii, isBeyondAscii } from './encoding.js';
import { expand, type Means } from './expand.js';
import type { Injection, Manner } from './injection.js';
import type { Naming } from './naming.js';
import type { Again, Executable, Part } from './part.js';
import type { Names, Prepared } from './prepared.js';
import { targetsOfPrepared, UNWATCHED } from './prepared.js';
import type { ExpectedReplies } from './replies.js';
import { makesKeys, type Rewrite, refusal, rewrite, unchanged, unsettlesNow } from './rewrite.js';
import type { ServerState } from './server-state.js';
import type { StatementCache } from './statement-cache.js';

export interface RewriterOptions {
  readonly statements: StatementCache;
  readonly circumstances: SessionCircumstances;
  readonly injection: Injection;
  readonly prepared: Names<Prepared>;
  readonly naming: Naming;
  readonly replies: ExpectedReplies;
  readonly state: ServerState;
  /** Refuse what may delete and is not understood; else pass it on and say so through `passed`. */
  readonly reject: boolean;
  /** Refuse DO and CALL. */
  readonly refusesCode: boolean;
  readonly passed: (error: ProxyError) => void;
}

/**
 * `pass`: the text goes on as it is, and holds nothing that deletes. `failed`: the client has got an error in its place.
 * `skipped`: the server skips it after an earlier error, so it may go on as it is.
 */
export type Decision =
  | { readonly kind: 'pass' | 'failed' | 'skipped' }
  | { readonly kind: 'rewrite'; readonly rewrite: Rewrite }
  /** What a statement means depends on one before it: they have to be executed one after the other. */
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] };

/** One statement of a string. */
export interface Piece {
  /** As the client sent it. */
  readonly bytes: Buffer;
  /** How many characters of the string stand before it. */
  readonly offset: number;
  /** What becomes of it where it need not be expanded. */
  readonly unchanged: Rewrite;
}

/** Where a text comes from. */
export interface Source {
  /** How the server can be asked at this point. */
  readonly manner: Manner;
  /** A simple query: several statements may be sent in the place of one. */
  readonly inString: boolean;
  readonly types: readonly number[];
  /** The execution can be repeated: nothing else would be lost with it. */
  readonly retries: boolean;
}

const PASS: Decision = { kind: 'pass' };

export class Rewriter {
  readonly #options: RewriterOptions;

  constructor(options: RewriterOptions) {
    this.#options = options;
  }

  /** @param bytes the text as it came */
  async decide(bytes: Buffer, source: Source): Promise<Decision> {
    try {
      const text = decode(bytes, this.#options.state);
      // The server refuses bytes that are no text, and says it better; unless its encoding is being changed.
      if (text === undefined && this.#options.replies.settled) return PASS;
      if (text === undefined)
        throw new ProxyError('PGC_ENCODING', { what: BEYOND, encoding: encodingOf(this.#options.state) });
      await parserReady();
      const statements = this.#options.statements.statements(text);
      return statements === undefined
        ? await this.#unparsable(text, source)
        : await this.#rewrite(text, statements, source);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      return this.#refuse(error);
    }
  }

  /** How answers to a rewritten text are turned into those to the client's own. */
  translation(rewrite: Rewrite): Translation {
    // What is prepared behind a DEALLOCATE, before its answer, stays.
    const known = rewrite.parts.some(({ kind }) => kind === 'release')
      ? this.#options.prepared.snapshot()
      : [];
    const completed = (part: Part) => this.#completed(part, known, rewrite.marker);
    const moved = () => this.#options.circumstances.note('settings');
    const executing = () => this.#options.naming.begin(rewrite.parts);
    const { state } = this.#options;
    const encoding = () => encodingOf(state);
    return { rewrite, encoding, serverVersion: state.version, executing, completed, moved };
  }

  async #rewrite(
    text: string,
    statements: readonly Statement[],
    { manner, inString, retries }: Source,
  ): Promise<Decision> {
    const { circumstances, injection, naming, prepared, reject, refusesCode, passed, replies, state } =
      this.#options;
    if (statements.every(({ meaning: { kind } }) => kind === 'other' || (kind === 'code' && !refusesCode)))
      return PASS;
    const executed = statements.flatMap(executedBy);
    const drops = statements.some(({ meaning }) => meaning.kind === 'release');
    if ((executed.length > 0 || drops) && !naming.settled) await naming.answered();
    const names = [
      ...statements.flatMap(targetsOf),
      ...executed.flatMap((name) => targetsOfPrepared(prepared.get(name))),
    ];
    const encoding = encodingOf(state);
    const isForeign = encoding !== 'UTF8' && isBeyondAscii(text);
    const named = names.map(quoteRelation).find(isBeyondAscii);
    if (isForeign && named !== undefined)
      throw new ProxyError('PGC_ENCODING', { what: 'a name beyond ASCII', encoding });
    const asIs: Decision = { kind: 'rewrite', rewrite: unchanged(text, statements) };
    const code = refusesCode && statements.some(({ meaning }) => meaning.kind === 'code');
    if (names.length === 0 && executed.length === 0 && !code) return asIs;
    // In a failed transaction nothing can be asked, and the server refuses everything but its end.
    // The status is how things stand only where everything sent has been answered.
    const failed = replies.settled && state.status === TransactionStatus.Failed && manner === 'query';
    if (failed && statements.length === 1) return asIs;
    const splits = inString && !COPIES_IN.every((word) => word.test(text));
    if (failed && splits) return { kind: 'pieces', pieces: piecesOf(text, statements, encoding) };
    if (failed) throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });

    const found = await circumstances.look(names, (sql) => injection.ask(sql, manner));
    if ('kind' in found) return { kind: found.kind };
    const { touched } = circumstances;
    const behind = isBehindUnsettling(statements, touched);
    if (!found.active && !behind) return asIs;
    const sensitive = found.graph.isActive || makesKeys(text) || !found.active;
    if (splits && behind && sensitive)
      return { kind: 'pieces', pieces: piecesOf(text, statements, encoding) };
    if (!found.active) throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });
    const means: Means = {
      graph: found.graph,
      meaning: found.meaning,
      executable: (name) => this.#executable(prepared.get(name), means),
      version: state.version,
      refusesCode,
      reject,
      inString,
      retries: retries && statements.length === 1,
    };
    const make = () => rewrite(text, statements, means, touched);
    const key = cacheKey(text, names.map(found.meaning), [touched, inString, means.retries], found);
    const made = executed.length > 0 ? make() : this.#options.statements.rewrite(key, make);
    made.passed.forEach(passed);
    if (!made.changed || encoding === 'UTF8' || !isBeyondAscii(made.sql))
      return { kind: 'rewrite', rewrite: made };
    if (isForeign) throw new ProxyError('PGC_ENCODING', { what: BEYOND, encoding });
    // What an EXECUTE has prepared again is the client's own text, which is not taken apart here.
    if (executed.length > 0) throw new ProxyError('PGC_ENCODING', { what: AGAIN, encoding });
    return { kind: 'rewrite', rewrite: inAscii(made) };
  }

  /** The server's own error, if it has one; else it knows a grammar that is not known here. */
  async #unparsable(text: string, { types, manner }: Source): Promise<Decision> {
    const answer = await this.#options.injection.parse(text, types, manner);
    if (answer.kind !== 'value') return { kind: answer.kind };
    throw new ProxyError('PGC_GRAMMAR');
  }

  /** What EXECUTE of a prepared statement runs, and what it would run were it prepared now. */
  #executable(entry: Prepared | undefined, means: Means): Executable | undefined {
    if (entry?.rewrite === undefined) return undefined;
    const { text, sql, marker, targets, parts } = entry.rewrite;
    const [part = FORWARD] = parts;
    const runs = part.kind === 'cascade' ? { ...part, marker } : part;
    const again = (): Again => {
      const [statement] = this.#options.statements.statements(text) ?? [];
      // What was prepared never fails on mere suspicion.
      const now = statement
        ? expand(text.slice(statement.at, statement.behind), statement, { ...means, retries: false })
        : undefined;
      return { sql: now?.sql ?? text, part: now?.parts[0] ?? FORWARD, error: now?.error };
    };
    return { targets, sql, runs, again };
  }

  /** The server has executed a statement that concerns prepared ones. */
  #completed(part: Part, known: readonly (readonly [string, Prepared])[], marker: string | undefined): void {
    const { prepared } = this.#options;
    if (part.kind === 'prepare') {
      const { text, sql, runs, targets } = part;
      const changed = sql !== text;
      const rewrite = { text, sql, marker, targets, parts: [runs], copied: [], changed, passed: [] };
      prepared.set(part.name, { ...UNWATCHED, text: Buffer.from(text), rewrite, inSql: true });
    }
    if (part.kind !== 'release') return;
    // What SQL has prepared is entered when it is answered: by now, all that was prepared before.
    const inSql = prepared.snapshot().filter(([, entry]) => entry.inSql);
    for (const [name, entry] of [...known, ...inSql]) {
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
    return { kind: 'rewrite', rewrite: refusal(error) };
  }
}

const FORWARD: Part = { kind: 'forward' };
const BEYOND = 'a statement with characters beyond ASCII';
const AGAIN = 'an EXECUTE of what has to be prepared again with names beyond ASCII';
/** Its data comes from the client, between two statements. */
const COPIES_IN = [/\bcopy\b/i, /\bstdin\b/i];

function piecesOf(text: string, statements: readonly Statement[], encoding: string): readonly Piece[] {
  return statements.map((statement) => {
    const own = text.slice(statement.at, statement.behind);
    return {
      bytes: Buffer.from(own, encoding === 'UTF8' ? 'utf8' : 'latin1'),
      offset: [...text.slice(0, statement.at)].length,
      unchanged: unchanged(own, [{ ...statement, at: 0, behind: own.length }]),
    };
  });
}

/** The prepared statements that a statement executes by name. */
function executedBy({ meaning }: Statement): readonly string[] {
  if (meaning.kind === 'execute') return [meaning.name];
  return meaning.kind === 'hidden' ? meaning.executes : [];
}

function cacheKey(
  text: string,
  meanings: readonly (number | null)[],
  how: readonly boolean[],
  { graphId }: Surroundings,
): string {
  return `${graphId}\0${meanings.join(',')}\0${how.join()}\0${text}`;
}

/** Whether a statement that deletes stands behind one that may change what it means, or switch cascades on again. */
function isBehindUnsettling(statements: readonly Statement[], touched: boolean): boolean {
  const first = statements.findIndex((statement) => unsettlesNow(statement, touched));
  return (
    first >= 0 &&
    statements
      .slice(first + 1)
      .some((statement) => targetsOf(statement).length > 0 || executedBy(statement).length > 0)
  );
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
    throw new ProxyError('PGC_ENCODING', { what: BEYOND, encoding });
  if (encoding === 'UTF8' && !isUtf8(bytes)) return undefined;
  const text = bytes.toString(encoding === 'UTF8' ? 'utf8' : 'latin1');
  if (state.parameter('standard_conforming_strings') === 'off' && text.includes('\\'))
    throw new ProxyError('PGC_STRINGS');
  return text;
}
