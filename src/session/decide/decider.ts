/** Decides, for one session, what is sent to the server in place of a text that may delete. */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import type { Steps } from '../../pace.js';
import { inSlices } from '../../pace.js';
import { mayBeSentAgain } from '../../rewrite/retries.js';
import type { RewriteContext } from '../../rewrite/statement/context.js';
import { executableOf, type PreparedTexts } from '../../rewrite/statement/replan.js';
import { plansOf, type ReplyRule } from '../../rewrite/statement/reply-rule.js';
import { type Rewrite, refusal, rewrite, unchanged } from '../../rewrite/text.js';
import { isAfterUnsettling } from '../../rewrite/unsettling.js';
import { hasLetters } from '../../sql/encoding/raw-bytes.js';
import { type Look, makesKeys } from '../../sql/lexer/look.js';
import { quoteRelation } from '../../sql/names.js';
import { executedBy, type Statement, targetsOf } from '../../sql/statement/statement.js';
import { TransactionStatus } from '../../wire/types.js';
import { Folding } from '../catalog/folding.js';
import { ColumnsUnknown, KnownColumns } from '../catalog/known-columns.js';
import { ReportedSettings } from '../catalog/reported-settings.js';
import type { ResolvedContext } from '../catalog/session-catalog.js';
import { BEYOND_ASCII, decode, encodingOf, inClientEncoding } from '../server/encoding.js';
import type { Translation } from '../server/results.js';
import {
  type Decision,
  PASS,
  piecesOf,
  type Source,
  type StatementDecision,
  type StatementSource,
  unanswered,
} from './decision.js';
import { targetsOfPrepared } from './prepared-statement.js';
import type { RewriterOptions } from './rewriter-options.js';
import { SqlPrepared } from './sql-prepared.js';

export class Decider {
  readonly #options: RewriterOptions;
  readonly #folding: Folding;
  readonly #inSql: SqlPrepared;
  /** What was sent for the text that was decided last. */
  #planned: string | undefined;
  /** By what the server reads texts. */
  readonly settings: ReportedSettings;

  constructor(options: RewriterOptions) {
    this.#options = options;
    this.#folding = new Folding(options.state);
    this.settings = new ReportedSettings(options);
    this.#inSql = new SqlPrepared(options.prepared, options.state, this.settings);
  }

  /** @param seen the text, looked at */
  decide(seen: Look, source: StatementSource): Promise<StatementDecision>;
  decide(seen: Look, source: Source): Promise<Decision>;
  async decide(seen: Look, source: Source): Promise<Decision> {
    const began = performance.now();
    const decision = await this.#decide(seen, source);
    if (decision.kind === 'rewrite') this.#tell(decision.rewrite, source, performance.now() - began);
    return decision;
  }

  /** In a pipeline a text that was prepared is decided again: that is told where it is another plan. */
  #tell({ sql, rules }: Rewrite, { protocol }: Source, milliseconds: number): void {
    if (protocol === 'extended' && sql === this.#planned) return;
    this.#planned = sql;
    this.#options.events.planned(plansOf(rules), milliseconds);
  }

  async #decide(seen: Look, source: Source): Promise<Decision> {
    try {
      if (seen.text.length > LONGEST_TEXT) throw new ProxyError('PGC_TOO_LARGE');
      const settings = await this.settings.forText(seen, source.protocol);
      if (settings.kind !== 'known') return unanswered(settings.kind);
      const text = this.#text(seen.text, source);
      // The server refuses bytes that are no text, and says it better; unless its encoding is being changed.
      if (text === undefined && this.#options.replies.settled && !settings.encodingChanges) return PASS;
      if (text === undefined || (settings.encodingChanges && !isAscii(seen.text)))
        throw new ProxyError('PGC_ENCODING', {
          what: BEYOND_ASCII,
          encoding: encodingOf(this.#options.state),
        });
      if (seen.hasBackslashes && !settings.conforming) throw new ProxyError('PGC_STRINGS');
      const statements = await this.#statements(text);
      return statements === undefined
        ? await this.#unparsable(text, source)
        : await this.#rewrite(text, seen, statements, source);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      return this.#refuse(error);
    }
  }

  /** How answers to a rewritten text are turned into those to the client's own. */
  translation(rewrite: Rewrite): Translation {
    const { events, state } = this.#options;
    const known = this.#inSql.known(rewrite);
    let since = performance.now();
    const completed = (rule: ReplyRule) => {
      this.#inSql.completed(rule, known, rewrite.marker);
      const began = since;
      since = performance.now();
      if (rule.kind === 'cascade') events.cascaded(rule.plan, since - began);
    };
    const moved = () => this.#options.circumstances.invalidateFor('settings');
    const executing = () => this.#options.naming.begin(rewrite.rules);
    const refused = (error: ProxyError) => events.refused(error);
    const encoding = () => encodingOf(state);
    return {
      rewrite,
      encoding,
      profile: state.profile,
      executing,
      completed,
      relationChanged: moved,
      refused,
    };
  }

  async #rewrite(
    text: string,
    seen: Look,
    statements: readonly Statement[],
    source: Source,
    columns = new KnownColumns(),
  ): Promise<Decision> {
    const { protocol, inString, retries, prepares = false } = source;
    const { circumstances, injection, naming, otherServer, replies, state } = this.#options;
    const { events, reject, refusesCode, triggers, warn } = this.#options;
    if (statements.every(({ meaning: { kind } }) => kind === 'other' || (kind === 'code' && !refusesCode)))
      return PASS;
    const executed = statements.flatMap(executedBy);
    const drops = statements.some(({ meaning }) => meaning.kind === 'release');
    if ((executed.length > 0 || drops) && !naming.settled) await naming.answered();
    const names = [
      ...statements.flatMap(targetsOf),
      ...executed.flatMap((name) => targetsOfPrepared(this.#inSql.named(name))),
    ];
    const encoding = encodingOf(state);
    const asIs: Decision = { kind: 'rewrite', rewrite: unchanged(text, statements) };
    const code = refusesCode && statements.some(({ meaning }) => meaning.kind === 'code');
    // Under a name that nobody has prepared a DELETE by there is nothing to expand, whatever the catalog says.
    const runs = executed.some((name) => this.#inSql.named(name)?.rewrite !== undefined);
    if (names.length === 0 && !runs && !code) return asIs;
    // In a failed transaction nothing can be asked, and the server refuses everything but its end.
    // The status is how things stand only where everything sent has been answered.
    const failed = replies.settled && state.status === TransactionStatus.Failed && protocol === 'simple';
    if (failed && statements.length === 1) return asIs;
    // The data of a COPY come from the client between two statements.
    const splits = inString && !statements.some(({ takesData }) => takesData);
    if (failed && splits) return { kind: 'pieces', pieces: piecesOf(text, statements) };
    if (failed) throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });

    const server = await otherServer.recognise(protocol);
    if (server.kind === 'failed' || server.kind === 'skipped') return unanswered(server.kind);
    if (server.kind === 'other') {
      otherServer.refuse(server, names);
      return asIs;
    }
    const found = await circumstances.resolve(names, (sql) => injection.askUntimed(sql, protocol));
    if ('kind' in found) return unanswered(found.kind);
    const folds = await this.#folding.folds(names, (sql) => injection.ask(sql, protocol));
    if (typeof folds === 'object') return unanswered(folds.kind);
    if (folds) throw new ProxyError('PGC_ENCODING', { what: 'a name with capitals beyond ASCII', encoding });
    const { touched } = circumstances;
    const behind = isAfterUnsettling(statements, touched);
    if (!found.active && !behind) return asIs;
    // Where this database has no keys for the proxy, only the text itself can bring some.
    const sensitive = found.graph.isActive || makesKeys(seen) || !found.active;
    if (splits && behind && sensitive) return { kind: 'pieces', pieces: piecesOf(text, statements) };
    if (!found.active) throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });
    const texts = await this.#prepared(executed);
    const means: RewriteContext = {
      graph: found.graph,
      meaning: found.meaning,
      returnedColumns: columns.of,
      executable: (name) => {
        const entry = this.#inSql.named(name);
        const check = () => entry && this.#text(entry.seen.text, entry);
        return entry?.rewrite && executableOf(entry.rewrite, texts, means, check);
      },
      profile: state.profile,
      refusesCode,
      triggers,
      reject,
      inString,
      retries: retries && mayBeSentAgain(statements),
      // Nothing that the client sends in the middle of a string is read meanwhile.
      prepares: prepares && !statements.some(({ takesData }) => takesData),
    };
    const { graphId } = found;
    function* make(): Steps<Rewrite> {
      return { ...(yield* rewrite(text, statements, means, { touched, sensitive })), graphId };
    }
    const how = [touched, sensitive, inString, means.retries, prepares, means.profile.version];
    const key = cacheKey(text, names.map(found.meaning), how, found);
    const isKept = executed.length === 0 && columns.isEmpty;
    let made: Rewrite;
    try {
      made = await (isKept ? this.#options.statements.rewrite(key, make) : inSlices(make()));
    } catch (error) {
      if (!(error instanceof ColumnsUnknown)) throw error;
      // What stands before it comes first, whatever the server says.
      if (splits && statements.length > 1) return { kind: 'pieces', pieces: piecesOf(text, statements) };
      if (statements.length > 1)
        throw new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });
      const answer = await columns.ask(error.question, source, injection, encoding);
      return answer === 'done' ? this.#rewrite(text, seen, statements, source, columns) : unanswered(answer);
    }
    for (const error of made.passed) events.passed(error);
    made.warnings.forEach(warn);
    if (!made.changed || encoding === 'UTF8' || !hasLetters(made.sql))
      return { kind: 'rewrite', rewrite: made };
    // What an EXECUTE has prepared again is the client's own text, which is not taken apart here.
    if (executed.length > 0) throw new ProxyError('PGC_ENCODING', { what: AGAIN, encoding });
    return { kind: 'rewrite', rewrite: inClientEncoding(made, state) };
  }

  /** The server's own error, if it has one; else it knows a grammar that is not known here. */
  async #unparsable(text: string, { types, protocol }: Source): Promise<Decision> {
    const { injection, otherServer } = this.#options;
    const server = await otherServer.recognise(protocol);
    if (server.kind === 'failed' || server.kind === 'skipped') return unanswered(server.kind);
    if (server.kind === 'other') {
      otherServer.refuseText(server, text);
      return PASS;
    }
    const answer = await injection.parse(text, types, protocol);
    if (answer.kind !== 'value') return unanswered(answer.kind);
    throw new ProxyError('PGC_GRAMMAR');
  }

  /** What the texts of these prepared statements mean. */
  async #prepared(names: readonly string[]): Promise<PreparedTexts> {
    const texts = new Map<string, readonly Statement[] | undefined>();
    for (const text of names.flatMap((name) => this.#inSql.named(name)?.rewrite?.text ?? []))
      if (!texts.has(text)) texts.set(text, await this.#statements(text));
    return texts;
  }

  #text(bytes: Buffer, { encoding }: Pick<Source, 'encoding'>): string | undefined {
    const { state } = this.#options;
    const now = encodingOf(state);
    if (encoding !== undefined && encoding !== now && !isAscii(bytes))
      throw new ProxyError('PGC_ENCODING', { what: `what was prepared in ${encoding}`, encoding: now });
    return decode(bytes, state);
  }

  #statements(text: string): Promise<readonly Statement[] | undefined> {
    const { replies, state, statements } = this.#options;
    return statements.statements(text, encodingOf(state), () => !replies.ended);
  }

  #refuse(error: ProxyError): Decision {
    if (!this.#options.reject && error.sqlstate === '0A000') {
      this.#options.events.passed(error);
      return PASS;
    }
    return { kind: 'rewrite', rewrite: refusal(error) };
  }
}

/** In bytes: the parser has no room for a longer text, nor has a string for one of four times that. */
const LONGEST_TEXT = 128 * 1024 * 1024;
const AGAIN = 'an EXECUTE of what has to be prepared again with names beyond ASCII';

function cacheKey(
  text: string,
  meanings: readonly (number | null)[],
  how: readonly (boolean | number)[],
  { graphId }: ResolvedContext,
): string {
  return `${graphId}\0${meanings.join(',')}\0${how.join()}\0${text}`;
}
