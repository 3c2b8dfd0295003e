/**
 * What a session knows of the catalog: what names mean, whether cascading is on, and the graph.
 *
 * The session asks the server once, and remembers the answer until something is sent that may change it. What the proxy does not see (a
 * function that sets the search_path) makes the expanded statement fail, which looks the names up again.
 *
 * The session learns in several steps that a transaction has ended, in this order:
 *
 * | method                            | is called when                                                 | by                                    |
 * |-----------------------------------|----------------------------------------------------------------|---------------------------------------|
 * | `invalidateFor('transactionEnd')` | a text is being sent that may end a transaction                | `invalidateBy`                        |
 * | `unitEnds`                        | a Sync, FunctionCall or Query is being sent, which may end one | UnitEnd; SimpleQuery in a pipeline;   |
 * |                                   |                                                                | QueryExecution before another attempt |
 * | `committed`                       | the tag of an answer is COMMIT, or ReadyForQuery says idle     | ServerMessages                        |
 * | `transactionOver`                 | ReadyForQuery says idle, or that the transaction has failed    | ServerMessages                        |
 * | `serverIdle`                      | ReadyForQuery says idle, and nothing else awaits an answer     | Dispatch, by UnitEnd                  |
 */
import type { ReadPoint } from '../../graph/cache.js';
import { type Look, type SessionEffect, switchesKeys } from '../../sql/lexer/look.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import { type Ask, type CatalogReaderOptions, mayBatch, type Unanswered } from './catalog-reader.js';
import { ContextResolver } from './context-resolver.js';
import type { CatalogState } from './own-catalog-state.js';
import { emptyContext, type ResolvedContext } from './resolved-context.js';
import { type KnownSoFar, leavesNothing, type Reading, SeenCatalog } from './seen-catalog.js';
import { TransactionChanges } from './transaction-changes.js';

export class SessionCatalog {
  readonly #options: CatalogReaderOptions;
  readonly #changes: TransactionChanges;
  readonly #seenCatalog: SeenCatalog;
  readonly #resolver: ContextResolver;
  /** Counts how often everything was forgotten. */
  #age = 0;
  #mayHideTables = false;
  #executions = 0;

  constructor(options: CatalogReaderOptions) {
    this.#options = options;
    this.#changes = new TransactionChanges(options);
    this.#seenCatalog = new SeenCatalog(options);
    this.#resolver = new ContextResolver(options, this.#seenCatalog, this.#changes);
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#seenCatalog.arrived();
    this.#touch();
  }

  /** Something of the client's is being executed, which may change the schema unseen. */
  executing(): void {
    this.#executions++;
    this.#touch();
  }

  /** A text is being sent. */
  invalidateBy(look: Look): void {
    const hidden = this.#mayHideTables;
    this.invalidateFor(this.#changes.effectOf(look), look.words);
    if (switchesKeys(look)) this.#mayHideTables = hidden;
  }

  /**
   * Something with this effect is being sent, or was.
   * @param words of a text that makes a temporary table, as Look has them
   */
  invalidateFor(effect: SessionEffect, words?: ReadonlySet<string>): void {
    this.#mayHideTables ||= effect === 'temporary' || effect === 'schema';
    switch (effect) {
      case 'none':
        return;
      case 'transactionEnd':
        this.#seenCatalog.transactionOver();
        if (this.#changes.hasSet) {
          this.#seenCatalog.forget();
          this.#forget();
        }
        return;
      case 'temporary':
        this.#resolver.hide(words);
        break;
      case 'settings':
      case 'schema':
        this.#seenCatalog.forget();
        this.#forget();
        break;
      default:
        effect satisfies never;
    }
    this.#changes.add(effect);
  }

  /**
   * A Sync or a simple query is being sent: outside of a transaction block it ends what was set in the unit, or what an
   * error undid.
   * @param inBlock it is certain that the transaction goes on
   */
  unitEnds(inBlock: boolean): void {
    this.executing();
    if (inBlock) return;
    this.#seenCatalog.transactionOver();
    if (this.#changes.hasSet) this.#forget();
  }

  /** The server says that no transaction is open, or that it has failed. */
  transactionOver(): void {
    this.#seenCatalog.transactionOver();
  }

  /** A count that grows whenever something is sent that may change settings. */
  get age(): number {
    return this.#age;
  }

  /** As GraphCache.readPoint: to be read before a question whose answer DDL of any session may change. */
  get point(): ReadPoint | Promise<ReadPoint> {
    return this.#seenCatalog.point;
  }

  /** A text of this session may have made a temporary relation. Only a server whose catalog is asked tells whether that is so. */
  get mayHideTables(): boolean {
    return this.#mayHideTables;
  }

  /** A count that grows whenever something of the client's is executed: a function may change settings, and no text shows it. */
  get executions(): number {
    return this.#executions;
  }

  /** Whether the open transaction has changed settings, the schema, or made a temporary table. */
  get touched(): boolean {
    return this.#changes.isAny;
  }

  /** Whether the transaction's end may show others another schema. */
  get mayShowChanges(): boolean {
    return this.#changes.mayShow;
  }

  /** A transaction has ended, as its answer says: from now on other sessions see what it has changed. */
  committed(): void {
    this.#changes.show();
  }

  /** The server is idle: no transaction is open. */
  serverIdle(): void {
    if (this.#changes.hasSet) this.#forget();
    this.#changes.clear();
  }

  /** Another policy holds from now on. The server is idle. */
  forget(): void {
    this.#seenCatalog.forgetAll();
    this.#resolver.forget();
  }

  /**
   * Whether to ask for the graph before the next transaction begins: the last one asked when it had written something, so that what
   * it saw does not hold for the next one (docs/decisions.md, 56).
   */
  get isLate(): boolean {
    return this.#seenCatalog.isLate && this.#options.policy.graphs.isTrusted;
  }

  /** Asks for the graph, where what all sessions see is not fresh. No transaction is open. @returns and @throws as `resolve` */
  renew(ask: Ask): Promise<ResolvedContext | Unanswered> {
    this.#seenCatalog.renew();
    return this.resolve([], ask);
  }

  /**
   * Whether it is known, without asking, that nothing has to be expanded or refused, whatever a text deletes: the server itself
   * carries out all that this session's database declares.
   * @returns a promise as GraphCache.readPoint
   */
  serverDoesAll(): boolean | Promise<boolean> {
    const soFar = this.#seenCatalog.now(this.#changes.hasSchema);
    return soFar instanceof Promise
      ? soFar.then((it) => this.#leavesNothing(it))
      : this.#leavesNothing(soFar);
  }

  /**
   * @param ask puts a question to the server over this session
   * @returns the context, or why a question has no answer
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  async resolve(names: readonly RelationName[], ask: Ask): Promise<ResolvedContext | Unanswered> {
    const distinct = [...new Map(names.map((name) => [quoteRelation(name), name])).values()];
    for (;;) {
      const age = this.#age;
      const soFar = await this.#seenCatalog.now(this.#changes.hasSchema);
      if (soFar.catalogState && this.#leavesNothing(soFar)) return emptyContext(soFar.catalogState);
      const seen = await this.#resolver.see(soFar, distinct, ask);
      if (seen === 'outdated') continue;
      if (seen.kind !== 'catalog state') return seen;
      if (age === this.#age) return this.#resolver.contextOf(seen, distinct);
      // While the server answered, it reported that a setting has changed: names may mean other relations by now.
      this.#forget();
    }
  }

  /**
   * The graph that holds for this session on a server that does not know PostgreSQL's questions.
   * @param read asks the server
   */
  async see(read: () => Promise<Reading | Unanswered>): Promise<CatalogState | Unanswered> {
    for (;;) {
      const age = this.#age;
      const { now, catalogState } = await this.#seenCatalog.now(this.#changes.hasSchema);
      if (catalogState) return catalogState;
      const found = await read();
      if (found.kind !== 'catalog state') return found;
      // What was sent meanwhile may have changed it.
      if (age === this.#age) return this.#seenCatalog.record(found, now, this.#changes.hasSchema);
    }
  }

  /**
   * Everything by which a text with these names is decided, and that may change. No question is asked.
   * @param decidedBy the id of the graph by which the text was decided before, if it was by one
   * @returns equal strings for equal grounds; undefined where a question would have to be asked, or a setting refused
   */
  grounds(names: readonly RelationName[], decidedBy: string | undefined): string | undefined {
    const soFar = this.#seenCatalog.now(this.#changes.hasSchema);
    if (soFar instanceof Promise) return undefined;
    if (decidedBy !== undefined && soFar.catalogState?.known.id !== decidedBy) return undefined;
    if (soFar.catalogState && this.#leavesNothing(soFar)) return soFar.catalogState.known.id;
    const context = this.#resolver.contextNow(soFar, names);
    if (context === undefined) return undefined;
    const { graph, meaning, ...rest } = context;
    return [JSON.stringify(rest satisfies Values), this.touched, ...names.map(meaning)].join();
  }

  #leavesNothing(soFar: KnownSoFar): boolean {
    return leavesNothing(soFar) && !mayBatch(this.#options);
  }

  #touch(): void {
    this.#seenCatalog.touch();
    this.#resolver.touch();
  }

  #forget(): void {
    this.#age++;
    this.#resolver.forget();
  }
}

/** What can be told apart as text. */
type Values = Readonly<Record<string, string | number | boolean | undefined>>;
