/** A client's text, rewritten: what is sent instead, and what becomes of each statement's answer. Pure. */
import { isUtf8 } from 'node:buffer';
import { ProxyError } from '../errors.js';
import type { Steps } from '../pace.js';
import type { Copied } from '../render/splice.js';
import { charactersIn } from '../sql/encoding/characters.js';
import { rawBytes } from '../sql/encoding/raw-bytes.js';
import { quoteRelation, type RelationName } from '../sql/names.js';
import { executedBy, type Statement, targetsOf } from '../sql/statement/statement.js';
import { batchesIn } from './batch.js';
import { expandedSettings } from './own-settings.js';
import type { RewriteContext } from './statement/context.js';
import type { Executable } from './statement/executable.js';
import type { ReplyRule } from './statement/reply-rule.js';
import { expand } from './statement/statement.js';
import { refuse, unchangedRule } from './statement/unexpanded.js';

export interface Rewrite {
  /** The client's text. */
  readonly text: string;
  /** What is sent, but for its marker. */
  readonly sql: string;
  /** The same before its letters were put into the client's encoding, where they were. */
  readonly unspelled?: string;
  /** What stands in it for MARKER, where it was sent. */
  readonly marker?: string | undefined;
  readonly rules: readonly ReplyRule[];
  readonly copied: readonly Copied[];
  /** Tells the graph by which it was made from all others; undefined where none was asked for. */
  readonly graphId?: string | undefined;
  /** Whether anything was done: false is the client's text as it is. */
  readonly changed: boolean;
  /** The relations that its statements delete from. */
  readonly targets: readonly RelationName[];
  /** What was passed on although it is not understood. */
  readonly passed: readonly ProxyError[];
  /** What its statements do that nobody sees: for the log. */
  readonly warnings: readonly string[];
  /** The prepared statements that it leaves behind where it fails; its marker is in their names. */
  readonly leaves?: readonly string[];
}

/** A text that is sent as it is. */
export function unchanged(text: string, statements: readonly Statement[]): Rewrite {
  return {
    text,
    sql: text,
    rules: statements.map(({ start, end, meaning }) => unchangedRule(text.slice(start, end), meaning)),
    copied: [{ client: 0, sent: 0, length: text.length }],
    changed: false,
    targets: statements.flatMap(targetsOf),
    passed: [],
    warnings: [],
  };
}

/** A text that is passed on although it could not be expanded, as the configuration wants it. */
export function passedOn(text: Buffer): Rewrite {
  return unchanged(isUtf8(text) ? text.toString('utf8') : rawBytes(text), []);
}

/** A text in whose place goes one that the server refuses. */
export function refusal(error: ProxyError): Rewrite {
  const { rules, sql = '' } = refuse('', { kind: 'other' }, error, { reject: true });
  // Casts are known to PostgreSQL; this is an error everywhere.
  const fails = error.errorName === 'PGC_SERVER' ? 'pgcascade refuses this statement' : sql;
  return {
    text: '',
    sql: fails,
    rules: rules,
    copied: [],
    changed: true,
    targets: [],
    passed: [],
    warnings: [],
  };
}

/** The end of a transaction matters to later statements only where something was set or changed in it. */
export function unsettlesNow({ unsettles }: Statement, touched: boolean): boolean {
  return unsettles === 'always' || (unsettles === 'at its end' && touched);
}

/** Whether a statement that deletes stands behind one that may change what it means, or switch cascades on again. */
export function isBehindUnsettling(statements: readonly Statement[], touched: boolean): boolean {
  const first = statements.findIndex((statement) => unsettlesNow(statement, touched));
  return (
    first >= 0 &&
    statements
      .slice(first + 1)
      .some((statement) => targetsOf(statement).length > 0 || executedBy(statement).length > 0)
  );
}

/**
 * @param touched the open transaction has changed settings or the schema
 * @param sensitive what a statement changes may matter to one behind it
 */
export function* rewrite(
  text: string,
  statements: readonly Statement[],
  means: RewriteContext,
  { touched, sensitive }: { readonly touched: boolean; readonly sensitive: boolean },
): Steps<Rewrite> {
  const pieces: string[] = [];
  const copied: Copied[] = [];
  const parts: ReplyRule[] = [];
  const passed: ProxyError[] = [];
  const warnings: string[] = [];
  let read = 0;
  let sent = 0;
  const push = (sql: string) => {
    pieces.push(sql);
    sent += sql.length;
  };
  const copy = (to: number) => {
    if (to > read) copied.push({ client: read, sent, length: to - read });
    push(text.slice(read, to));
    read = to;
  };
  const settings = expandedSettings(means.profile);
  let isOff = false;
  const switchJit = (off: boolean) => {
    if (settings === undefined) return;
    push(`${off ? settings.enter : settings.leave}\n; `);
    parts.push({ kind: off ? 'swallow' : 'leave' });
    isOff = off;
  };
  const prepared = new PreparedHere(means);
  const { members, leaves } = yield* batchesIn(text, statements, means);
  let unsettled = false;
  for (const statement of statements) {
    const { start, end, meaning } = statement;
    const own = text.slice(start, end);
    const expanded =
      unsettled && (targetsOf(statement).length > 0 || meaning.kind === 'execute')
        ? refuse(own, meaning, behindUnsettling(statement), means)
        : (members.get(statement) ??
          (yield* expand(own, statement, {
            ...means,
            returnedColumns: (asked) =>
              means.returnedColumns({ ...asked, offset: asked.offset + charactersIn(text, 0, start) }),
            executable: prepared.executable,
          })));
    if (expanded.error) passed.push(expanded.error);
    warnings.push(...(expanded.warnings ?? []));
    const cascades = expanded.rules.some(({ kind }) => kind === 'cascade');
    if (cascades !== isOff && means.inString && (statements.length > 1 || expanded.rules.length > 1)) {
      copy(start);
      switchJit(cascades);
    }
    parts.push(...expanded.rules);
    for (const part of expanded.rules) prepared.note(part);
    if (expanded.sql !== undefined) {
      copy(start);
      for (const run of expanded.copied ?? [])
        copied.push({ client: start + run.client, sent: sent + run.sent, length: run.length });
      push(expanded.sql);
      read = end;
    }
    yield;
    unsettled ||= sensitive && unsettlesNow(statement, touched);
  }
  copy(text.length);
  if (isOff) {
    push('\n; ');
    switchJit(false);
  }
  const sql = pieces.join('');
  return {
    text,
    sql,
    rules: parts,
    copied,
    changed: sql !== text || parts.some(({ kind }) => kind === 'cascade'),
    targets: statements.flatMap(targetsOf),
    passed,
    warnings,
    ...(leaves.length > 0 ? { leaves } : {}),
  };
}

function behindUnsettling(statement: Statement): ProxyError {
  return new ProxyError('PGC_AFTER_DDL', { table: targetsOf(statement).map(quoteRelation).join(', ') });
}

/** What an EXECUTE runs may have been prepared, or dropped, earlier in the same text. */
class PreparedHere {
  readonly #before: RewriteContext['executable'];
  readonly #here = new Map<string, Executable | undefined>();
  #allReleased = false;

  constructor({ executable }: RewriteContext) {
    this.#before = executable;
  }

  /** A statement of the text has become this. */
  note(part: ReplyRule): void {
    if (part.kind === 'prepare') this.#here.set(part.name, { ...part, replan: undefined });
    if (part.kind !== 'release') return;
    if (part.name !== undefined) this.#here.set(part.name, undefined);
    else {
      this.#here.clear();
      this.#allReleased = true;
    }
  }

  readonly executable = (name: string): Executable | undefined =>
    this.#allReleased || this.#here.has(name) ? this.#here.get(name) : this.#before(name);
}
