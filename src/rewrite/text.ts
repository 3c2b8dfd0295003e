/** A client's text, rewritten: what is sent instead, and what becomes of each statement's answer. Pure. */
import { isUtf8 } from 'node:buffer';
import type { ProxyError } from '../errors.js';
import type { Steps } from '../pace.js';
import type { Copied, Spliced } from '../render/splice.js';
import { FAIL_ANYWHERE } from '../render/violations.js';
import { charactersIn } from '../sql/encoding/characters.js';
import { rawBytes } from '../sql/encoding/raw-bytes.js';
import type { RelationName } from '../sql/names.js';
import { type Statement, targetsOf } from '../sql/statement/statement.js';
import { expandedSettings, type OwnSettings } from './own-settings.js';
import { PreparedHere } from './prepared-here.js';
import { Sent } from './sent.js';
import { seriesIn } from './series.js';
import type { Expanded, RewriteContext } from './statement/context.js';
import { expand } from './statement/expand.js';
import { expandedOf, type PreparedSource, type Treatment } from './statement/treatment.js';
import { refuse, unchangedTreatment } from './statement/unexpanded.js';
import { afterUnsettling, unsettlesNow } from './unsettling.js';

/** In characters: of the client's text, and of what is sent. */
export interface Place {
  readonly client: number;
  readonly sent: number;
}

export interface Rewrite {
  /** The client's text. */
  readonly text: string;
  /** What is sent, but for its marker. */
  readonly sql: string;
  /** `sql` before its letters were put into the client's encoding, where they were. */
  readonly unspelled?: string;
  /** What is sent in the place of MARKER: each sending of an expanded text has its own. */
  readonly marker?: string | undefined;
  /** One for each statement that is sent. */
  readonly treatments: readonly Treatment[];
  readonly copied: readonly Copied[];
  /** For each treatment, where the client's statement begins, and what was made of it. */
  readonly places: readonly Place[];
  /** Tells the graph by which it was made from all others; undefined where no graph was needed. */
  readonly graphId?: string | undefined;
  /** False where the client's text is sent as it is, and nothing in it was expanded. */
  readonly changed: boolean;
  /** The relations that its statements delete from. */
  readonly targets: readonly RelationName[];
  /** Why statements should have been refused that the configuration passes on. */
  readonly passed: readonly ProxyError[];
  /** What its statements do that the proxy neither cascades nor checks: for the log. */
  readonly warnings: readonly string[];
  /**
   * The names of the prepared statements that the text leaves behind on the server where it fails (series.ts), with MARKER in
   * them. Who sends the text closes them then.
   */
  readonly leftPrepared?: readonly string[];
  /** As PreparedSource.origin, where SQL has prepared it. */
  readonly origin?: PreparedSource['origin'] | undefined;
}

/** A text that is sent as it is. */
export function unchanged(text: string, statements: readonly Statement[]): Rewrite {
  return {
    text,
    sql: text,
    treatments: statements.map(({ start, end, meaning }) =>
      unchangedTreatment(text.slice(start, end), meaning),
    ),
    copied: [{ client: 0, sent: 0, length: text.length }],
    places: statements.map(({ start }) => ({ client: start, sent: start })),
    changed: false,
    targets: statements.flatMap(targetsOf),
    passed: [],
    warnings: [],
  };
}

/**
 * A text that is sent for a rewrite of one statement, beside it or in its place: an error's position in that text is one in the client's.
 * @param copied the runs of the client's statement in `sql`
 */
export function inPlaceOf(rewrite: Rewrite, { sql, copied }: Spliced): Rewrite {
  const start = rewrite.places[0]?.client ?? 0;
  return { ...rewrite, sql, copied: copied.map((run) => ({ ...run, client: run.client + start })) };
}

/** A text that is passed on although it could not be expanded, as the configuration wants it. */
export function passedOn(text: Buffer): Rewrite {
  return unchanged(isUtf8(text) ? text.toString('utf8') : rawBytes(text), []);
}

/** In the place of a refused text: one that the server refuses. */
export function refusal(error: ProxyError): Rewrite {
  const { treatments, sql = '' } = refuse('', { kind: 'other' }, error, { reject: true });
  // Only PostgreSQL is known to have casts; this is an error on every server.
  const fails = error.errorName === 'PGC_SERVER' ? FAIL_ANYWHERE : sql;
  return {
    text: '',
    sql: fails,
    treatments,
    copied: [],
    places: [{ client: 0, sent: 0 }],
    changed: true,
    targets: [],
    passed: [],
    warnings: [],
  };
}

/**
 * @param touched the open transaction has changed settings or the schema
 * @param sensitive what a statement changes may matter to one after it
 */
export function* rewrite(
  text: string,
  statements: readonly Statement[],
  context: RewriteContext,
  { touched, sensitive }: { readonly touched: boolean; readonly sensitive: boolean },
): Steps<Rewrite> {
  const settings = context.inString ? expandedSettings(context.profile) : undefined;
  const made = new RewriteInMaking(text, statements, settings);
  const prepared = new PreparedHere(context.executable);
  const { members, leftPrepared } = yield* seriesIn(text, statements, context);
  let unsettled = false;
  for (const statement of statements) {
    const { start, end, meaning } = statement;
    const own = text.slice(start, end);
    const expanded =
      unsettled && (targetsOf(statement).length > 0 || meaning.kind === 'execute')
        ? refuse(own, meaning, afterUnsettling(targetsOf(statement)), context)
        : (members.get(statement) ??
          (yield* expand(own, statement, {
            ...context,
            returnedColumns: (question) => {
              const offset = question.offset + charactersIn(text, 0, start);
              return context.returnedColumns({ ...question, offset });
            },
            executable: prepared.executable,
          })));
    for (const treatment of expanded.treatments) prepared.note(treatment);
    made.add(statement, expanded);
    yield;
    unsettled ||= sensitive && unsettlesNow(statement, touched);
  }
  return { ...made.end(), ...(leftPrepared.length > 0 ? { leftPrepared } : {}) };
}

class RewriteInMaking {
  readonly #text: string;
  readonly #statements: readonly Statement[];
  readonly #settings: OwnSettings | undefined;
  readonly #sent = new Sent();
  readonly #treatments: Treatment[] = [];
  readonly #places: Place[] = [];
  readonly #passed: ProxyError[] = [];
  readonly #warnings: string[] = [];
  /** How much of the client's text is in what is sent, or replaced in it. */
  #read = 0;
  #inSettings = false;

  /** @param settings those of expanded statements; undefined where they cannot be set in the text */
  constructor(text: string, statements: readonly Statement[], settings: OwnSettings | undefined) {
    this.#text = text;
    this.#statements = statements;
    this.#settings = settings;
  }

  /** The statements are added in their order. */
  add({ start, end }: Statement, { treatments, sql, copied, error, warnings = [] }: Expanded): void {
    const cascades = treatments.some(({ kind }) => kind === 'cascade');
    // A text of one statement alone is surrounded by the settings when it is sent (surrounded.ts).
    if (this.#statements.length > 1 || treatments.length > 1) this.#switchSettings(cascades, start);
    this.#treatments.push(...treatments);
    const place = { client: start, sent: this.#sent.length + start - this.#read };
    this.#places.push(...treatments.map(() => place));
    if (error) this.#passed.push(error);
    this.#warnings.push(...warnings);
    if (sql === undefined) return;
    this.#copyTo(start);
    this.#sent.add(sql, copied, start);
    this.#read = end;
  }

  /** Adds what comes after the last statement. */
  end(): Rewrite {
    const text = this.#text;
    this.#copyTo(text.length);
    if (this.#inSettings) {
      this.#sent.add('\n; ');
      this.#switchSettings(false, text.length);
    }
    const { sql, copied } = this.#sent;
    return {
      text,
      sql,
      treatments: this.#treatments,
      copied,
      places: this.#places,
      changed: sql !== text || this.#treatments.some((each) => expandedOf(each) !== undefined),
      targets: this.#statements.flatMap(targetsOf),
      passed: this.#passed,
      warnings: this.#warnings,
    };
  }

  /** Has what comes from `at` on executed under the settings of expanded statements, or under the client's. */
  #switchSettings(enter: boolean, at: number): void {
    if (this.#settings === undefined || enter === this.#inSettings) return;
    this.#copyTo(at);
    this.#sent.add(`${enter ? this.#settings.apply : this.#settings.restore}\n; `);
    this.#treatments.push({ kind: enter ? 'swallow' : 'cleanUp' });
    this.#places.push({ client: at, sent: this.#sent.length });
    this.#inSettings = enter;
  }

  #copyTo(end: number): void {
    this.#sent.copy(this.#text, this.#read, end);
    this.#read = end;
  }
}
