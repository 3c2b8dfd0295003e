/** Decides, for one session, what is sent to the server in place of a text that may delete. */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import { isOneByOne } from '../../rewrite/several.js';
import { leavesKeys, plansOf } from '../../rewrite/statement/treatment.js';
import { type Rewrite, refusal, unchanged } from '../../rewrite/text.js';
import { isNoteworthy, isPlain, type Look, mayWrite, namesPrepared } from '../../sql/lexer/look.js';
import { withoutWrites } from '../../sql/statement/statement.js';
import type { Translation } from '../answers/results.js';
import { ColumnsUnknown, KnownColumns } from '../catalog/known-columns.js';
import { ReportedSettings } from '../catalog/reported-settings.js';
import type { Policy } from '../policy/policy.js';
import { encodingOf, TEXT_BEYOND_ASCII } from '../server/encoding.js';
import type { Protocol } from '../server/internal-query.js';
import { type ClientText, ClientTexts, refuseTooLong } from './client-texts.js';
import type { DeciderOptions } from './decider-options.js';
import {
  type Decision,
  PASS,
  type StatementDecision,
  type StatementSource,
  statementByStatement,
  type TextSource,
  unanswered,
} from './decision.js';
import { concernsPrepared, dependenciesOf, isPassed } from './dependencies.js';
import { OFF, Resolver } from './resolver.js';
import { orderOf, Rewriter } from './rewriter.js';
import { SqlPrepared } from './sql-prepared.js';
import { translationOf } from './translation.js';
import { UnchangedGrounds } from './unchanged-grounds.js';

export class Decider {
  readonly #options: DeciderOptions;
  readonly #texts: ClientTexts;
  readonly #inSql: SqlPrepared;
  readonly #resolver: Resolver;
  readonly #rewriter: Rewriter;
  /** What was sent for the text whose plans the listeners were told last. */
  #planned: string | undefined;
  #hasUnread = false;
  /** Whether what was decided for a prepared statement still holds. */
  readonly grounds: UnchangedGrounds;
  /** The settings by which the server reads texts. */
  readonly settings: ReportedSettings;

  constructor(options: DeciderOptions) {
    const { statementNames, replies, state, statements } = options;
    this.#options = options;
    this.settings = new ReportedSettings(options);
    this.#texts = new ClientTexts(statements, replies, state);
    this.#inSql = new SqlPrepared(statementNames, state, this.settings);
    this.#resolver = new Resolver(options);
    this.grounds = new UnchangedGrounds(options);
    this.#rewriter = new Rewriter(statements, this.#texts, this.#inSql, options, state);
  }

  /** Looks at a client's text as the server is going to read it. */
  look(text: Buffer): Look {
    const look = this.settings.look(text);
    if (look.effect !== 'none') this.#options.guardSetting.note(text);
    return look;
  }

  get policy(): Policy {
    return this.#options.policy.current;
  }

  /**
   * Whether anything has to be decided for a text; else it is sent as it is. Where cascades are switched off nothing is replaced, but a text
   * that prepares or drops statements is read all the same: these may be executed when cascades are on again.
   */
  mayReplace(look: Look): boolean {
    const { active, refusesCode } = this.policy;
    if (active && this.#guards && mayWrite(look)) return true;
    return isNoteworthy(look, active && refusesCode) && (active || namesPrepared(look));
  }

  /** Whether it matters what statements write: the configuration may guard it, or the session. */
  get #guards(): boolean {
    return this.policy.guard !== 'off' || this.#options.guardSetting.mayBeSet;
  }

  /** Whether a text was passed on unread that may have prepared or dropped statements: the proxy does not know them. */
  get hasUnread(): boolean {
    return this.#hasUnread;
  }

  /**
   * Whether a query that may delete is sent as it is without being read, as the server carries out everything.
   * @returns a promise where that is not known at once
   */
  passesUnread(look: Look): boolean | Promise<boolean> {
    return isPlain(look) && this.#options.catalog.serverDoesAll();
  }

  /** Whether the graph is to be renewed before the next transaction. */
  get isLate(): boolean {
    return this.policy.active && this.#resolver.isLate;
  }

  /** Whether the graph is to be renewed before this text, which is executed between two transactions. */
  isLateBefore(look: Look): boolean {
    return this.isLate && look.begins === 'control' && !this.mayReplace(look);
  }

  /** Renews the graph. @returns false where that has failed, and the client has the error as the answer to its message */
  renew(protocol: Protocol): Promise<boolean> {
    return this.#resolver.renew(protocol).catch((error) => {
      // PGC_MODE is raised again for the next DELETE, so it is ignored here.
      if (error instanceof ProxyError) return true;
      throw error;
    });
  }

  /** @param look the text, looked at */
  decide(look: Look, source: StatementSource): Promise<StatementDecision>;
  decide(look: Look, source: TextSource): Promise<Decision>;
  async decide(look: Look, source: TextSource): Promise<Decision> {
    const began = performance.now();
    const decision = await this.#decideOrRefuse(look, source);
    if (decision.kind === 'rewrite') this.#tell(decision.rewrite, source, performance.now() - began);
    return decision;
  }

  /** How the answers to a rewritten text are turned into those to the client's own. */
  translation(rewrite: Rewrite): Translation {
    return translationOf(rewrite, this.#inSql, this.#options);
  }

  /** Tells the listeners each plan once: a text that was prepared is decided again for each Bind, mostly to the same plan. */
  #tell({ sql, treatments }: Rewrite, { protocol }: TextSource, milliseconds: number): void {
    if (protocol === 'extended' && sql === this.#planned) return;
    this.#planned = sql;
    this.#options.events.planned(plansOf(treatments), milliseconds);
  }

  async #decideOrRefuse(look: Look, source: TextSource): Promise<Decision> {
    try {
      return await this.#decide(look, source);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      const { active, reject } = this.policy;
      if (active && (reject || !error.unexpandable)) return { kind: 'rewrite', rewrite: refusal(error) };
      if (active) this.#options.events.passed(error);
      return this.#passUnread(look);
    }
  }

  async #decide(look: Look, source: TextSource): Promise<Decision> {
    const { replies, state } = this.#options;
    refuseTooLong(look.text);
    const settings = await this.settings.forText(look, source.protocol);
    if (settings.kind !== 'known') return unanswered(settings.kind);
    const text = this.#texts.decode(look.text, source.encoding);
    // The server refuses bytes that are no text, and its error says more; unless a message before this one changes the encoding.
    if (text === undefined && replies.settled && !settings.encodingChanges) return PASS;
    if (text === undefined || (settings.encodingChanges && !isAscii(look.text)))
      throw new ProxyError('PGC_ENCODING', { what: TEXT_BEYOND_ASCII, encoding: encodingOf(state) });
    if (look.hasBackslashes && !settings.conforming) throw new ProxyError('PGC_STRINGS');
    const read = look.isReadOtherwise ? undefined : await this.#texts.statements(text);
    if (read === undefined) return this.#decideUnparsable(look, text, source);
    const statements = this.#guards ? read : withoutWrites(read);
    return this.#decideStatements({ look, text, statements }, source);
  }

  /** The server answers with its own error, if it has one; else it has a grammar that PostgreSQL's parser has not. */
  async #decideUnparsable(look: Look, text: string, source: TextSource): Promise<Decision> {
    const { queries, otherServer } = this.#options;
    if (!this.policy.active && !look.isReadOtherwise) return this.#passUnread(look);
    const server = await otherServer.recognise(source.protocol, otherServer.mayConcern(text));
    if (server.kind === 'failed' || server.kind === 'skipped') return unanswered(server.kind);
    // Only now it is known how the server cuts a text into tokens.
    const known = look.isReadOtherwise ? this.settings.look(look.text) : undefined;
    if (known?.isReadOtherwise === false) return this.#decide(known, source);
    if (server.kind === 'other') {
      const read = known ? undefined : this.#texts.foreign(text, server.family);
      if (read) return this.#decideStatements({ look, text, statements: read }, source);
      const asked = await this.#resolver.refuseText(server, text, source.protocol);
      return asked ? unanswered(asked.kind) : this.#passUnread(look);
    }
    const answer = await queries.parse(text, source.types, source.protocol);
    if (answer.kind !== 'value') return unanswered(answer.kind);
    throw new ProxyError('PGC_GRAMMAR');
  }

  /** Decides as often as it takes until the server has told all columns that the rewrite needs. */
  async #decideStatements(client: ClientText, source: TextSource): Promise<Decision> {
    const { queries, state } = this.#options;
    const { statements } = client;
    if (isPassed(statements, this.policy.refusesCode)) return PASS;
    const columns = new KnownColumns();
    for (;;) {
      try {
        return await this.#decideWith(columns, client, source);
      } catch (error) {
        if (!(error instanceof ColumnsUnknown)) throw error;
        // An error of an earlier statement has to come before one about the columns.
        if (statements.length > 1)
          return statementByStatement(
            client,
            dependenciesOf(statements, this.#inSql, this.policy).names,
            source,
          );
        const answer = await columns.ask(error.question, source, queries, encodingOf(state));
        if (answer !== 'done') return unanswered(answer);
      }
    }
  }

  /** @throws ColumnsUnknown */
  async #decideWith(columns: KnownColumns, client: ClientText, source: TextSource): Promise<Decision> {
    const { events, pendingPrepares, warnings } = this.#options;
    const { text, statements } = client;
    if (concernsPrepared(statements) && !pendingPrepares.areKnown) await pendingPrepares.answered();
    const asIs = (): Decision => ({ kind: 'rewrite', rewrite: unchanged(text, statements) });
    const dependencies = dependenciesOf(statements, this.#inSql, this.policy);
    const { names } = dependencies;
    if (dependencies.isNone) return asIs();
    if (this.#isInFailedTransaction(source.protocol))
      return statements.length === 1 ? asIs() : statementByStatement(client, names, source);
    if (dependencies.undecided !== undefined)
      throw new ProxyError('PGC_EXECUTE', { name: dependencies.undecided });
    const resolved = this.policy.active ? await this.#resolver.resolve(names, source.protocol) : OFF;
    if (resolved.kind === 'other') return asIs();
    if (resolved.kind !== 'resolved') return unanswered(resolved.kind);
    switch (orderOf(client, resolved, source)) {
      case 'as it is': {
        if (dependencies.executed.length === 0) return asIs();
        // What EXECUTE runs was expanded when it was prepared: it has to be prepared as it is.
        const made = await this.#rewriter.rewrite(client, dependencies, OFF, source, columns);
        return { kind: 'rewrite', rewrite: this.#rewriter.inClientEncoding(made, dependencies) };
      }
      case 'statementByStatement':
        return statementByStatement(client, names, source);
      case 'as one text': {
        const made = await this.#rewriter.rewrite(client, dependencies, resolved, source, columns);
        if (statements.length > 1 && isOneByOne(made.treatments))
          return statementByStatement(client, names, source);
        const isTold = plansOf(made.treatments).length > 0 || made.treatments.some(leavesKeys);
        const obstacle = isTold ? this.#options.obstacle() : undefined;
        if (obstacle) throw obstacle;
        for (const error of made.passed) events.passed(error);
        for (const warning of made.warnings) warnings.warn(warning);
        return { kind: 'rewrite', rewrite: this.#rewriter.inClientEncoding(made, dependencies) };
      }
    }
  }

  /** The text is sent unread: what it prepares or drops is not known from then on. */
  #passUnread(look: Look): StatementDecision {
    this.#hasUnread ||= namesPrepared(look);
    return PASS;
  }

  /** In a failed transaction the server refuses every question, and every statement but its end. */
  #isInFailedTransaction(protocol: Protocol): boolean {
    return protocol === 'simple' && this.#options.transaction.hasFailed;
  }
}
