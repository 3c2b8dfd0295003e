/** Rewrites a client's text for one session: from the cache, or anew. */
import { ProxyError } from '../../errors.js';
import { inSlices, type Steps } from '../../pace.js';
import type { Family } from '../../profiles/families/family.js';
import { executableOf, type PreparedTexts } from '../../rewrite/replan.js';
import { batchTextsIn, mayBeSentAgain, stepTextsIn } from '../../rewrite/retries.js';
import { limited } from '../../rewrite/statement/at-limit.js';
import type { RewriteContext } from '../../rewrite/statement/context.js';
import { atLimitOf, followUpsOf } from '../../rewrite/statement/treatment.js';
import type { StatementCache } from '../../rewrite/statement-cache.js';
import { type Rewrite, rewrite } from '../../rewrite/text.js';
import { isAfterUnsettling, namesRelations } from '../../rewrite/unsettling.js';
import { hasLetters } from '../../sql/encoding/raw-bytes.js';
import { makesKeys } from '../../sql/lexer/look.js';
import type { RelationName } from '../../sql/names.js';
import type { Statement } from '../../sql/statement/statement.js';
import type { KnownColumns } from '../catalog/known-columns.js';
import type { Policy } from '../policy/policy.js';
import { encodingOf, inClientEncoding } from '../server/encoding.js';
import type { ServerState } from '../server/server-state.js';
import type { ClientText, ClientTexts } from './client-texts.js';
import type { DeciderOptions } from './decider-options.js';
import { isCuttable, type TextSource } from './decision.js';
import type { Dependencies } from './dependencies.js';
import { OFF, type Resolved } from './resolver.js';
import type { SqlPrepared } from './sql-prepared.js';

export class Rewriter {
  readonly #cache: StatementCache;
  readonly #texts: ClientTexts;
  readonly #inSql: SqlPrepared;
  readonly #options: Pick<DeciderOptions, 'policy' | 'counting'>;
  readonly #state: ServerState;

  constructor(
    cache: StatementCache,
    texts: ClientTexts,
    inSql: SqlPrepared,
    options: Pick<DeciderOptions, 'policy' | 'counting'>,
    state: ServerState,
  ) {
    this.#cache = cache;
    this.#texts = texts;
    this.#inSql = inSql;
    this.#options = options;
    this.#state = state;
  }

  /**
   * @param columns what the server has told of the columns in the text
   * @throws ColumnsUnknown where the server has to be asked for more of them
   * @throws ProxyError PGC_ENCODING where what is sent cannot be said in the client's encoding
   */
  async rewrite(
    client: ClientText,
    dependencies: Dependencies,
    resolved: Resolved,
    source: TextSource,
    columns: KnownColumns,
  ): Promise<Rewrite> {
    const { text, statements } = client;
    const { graphId, touched } = resolved;
    const texts = await this.#preparedTexts(dependencies.executed);
    const context = this.#context(statements, texts, resolved, source, columns);
    const sensitive = isSensitive(client, resolved);
    function* make(): Steps<Rewrite> {
      return { ...(yield* rewrite(text, statements, context, { touched, sensitive })), graphId };
    }
    // The key of the cache has neither prepared statements nor what the server has told of columns.
    const isKept = dependencies.executed.length === 0 && columns.isEmpty;
    if (!isKept) return inSlices(make());
    const key = cacheKey(text, dependencies.names, context, { graphId, touched, sensitive });
    return this.#cache.rewrite(key, make);
  }

  /**
   * The rewrite, with what the proxy adds to the client's text in the client's encoding.
   * @throws ProxyError PGC_ENCODING where that cannot be
   */
  inClientEncoding(made: Rewrite, dependencies: Dependencies): Rewrite {
    const encoding = encodingOf(this.#state);
    if (encoding === 'UTF8') return made;
    if (batchTextsIn(made.treatments).some(hasLetters))
      return this.inClientEncoding(withoutBatches(made, `names beyond ASCII in ${encoding}`), dependencies);
    if (!made.changed) return made;
    if (stepTextsIn(made.treatments).some(hasLetters))
      throw new ProxyError('PGC_ENCODING', { what: 'several statements with names beyond ASCII', encoding });
    const followUps = made.treatments.flatMap(followUpsOf);
    if (![made.sql, ...followUps].some(hasLetters)) return made;
    // The text that an EXECUTE prepares again has parts of the client's, which `copied` does not tell from the proxy's.
    if (dependencies.executed.length > 0) throw new ProxyError('PGC_ENCODING', { what: AGAIN, encoding });
    return inClientEncoding(made, this.#state);
  }

  #context(
    statements: readonly Statement[],
    texts: PreparedTexts,
    resolved: Resolved,
    { inString, retries, prepares = false }: TextSource,
    columns: KnownColumns,
  ): RewriteContext {
    const { counting, policy } = this.#options;
    const { graph, meaning } = resolved;
    const { atomic, guard, locks, refusesCode, reject, strategy, triggers, verifiesCopies } = policy.current;
    const context: RewriteContext = {
      graph,
      meaning,
      returnedColumns: columns.of,
      executable: (name) => {
        const prepared = this.#inSql.named(name);
        const check = () => prepared && this.#texts.decode(prepared.look.text, prepared.encoding);
        return prepared?.rewrite && executableOf(prepared.rewrite, texts, context, check);
      },
      profile: this.#state.profile,
      counting,
      // Where cascades are off, code may delete as the statements themselves do.
      refusesCode: refusesCode && resolved !== OFF,
      triggers,
      guard: resolved.guard ?? guard,
      verifiesCopies,
      locks: resolved.locks ?? locks,
      atomic,
      strategy: strategyOf(strategy, this.#state.profile.family, resolved),
      batchRows: resolved.batchRows,
      onLimit: resolved.onLimit,
      reject,
      inString,
      retries: retries && mayBeSentAgain(statements),
      // The sender of a text that prepares awaits its end, and reads nothing of the client's till then: no data of a COPY.
      prepares: prepares && !statements.some(({ takesData }) => takesData),
    };
    return context;
  }

  /** The statements of the client's texts of these prepared statements. */
  async #preparedTexts(names: readonly string[]): Promise<PreparedTexts> {
    const texts = new Map<string, readonly Statement[] | undefined>();
    for (const text of names.flatMap((name) => this.#inSql.named(name)?.rewrite?.text ?? []))
      if (!texts.has(text)) texts.set(text, await this.#texts.statements(text));
    return texts;
  }
}

/**
 * Whether what a statement changes may matter to one after it. Where the proxy performs no key of the database, only the
 * text itself can make one, or switch cascades on again.
 */
function isSensitive({ look }: ClientText, { active, graph }: Resolved): boolean {
  return graph.isActive || makesKeys(look) || !active;
}

/** Whether what a statement means may depend on one before it in the same text, so that they are sent one after the other. */
export function orderOf(
  client: ClientText,
  resolved: Resolved,
  source: TextSource,
): 'as it is' | 'statementByStatement' | 'as one text' {
  const { statements } = client;
  if (resolved.hides && statements.slice(1).some(namesRelations)) return 'statementByStatement';
  const isAfter = isAfterUnsettling(statements, resolved.touched);
  if (!resolved.active && !isAfter) return 'as it is';
  if (!isAfter || !isSensitive(client, resolved)) return 'as one text';
  // Where cascades are switched on, a text that cannot be cut has its later statements refused one by one.
  return isCuttable(client, source) || !resolved.active ? 'statementByStatement' : 'as one text';
}

/** The one statement is for servers that can do it; where the graph is made of names alone, nothing but plain statements is certain. */
export function strategyOf(
  wanted: Policy['strategy'],
  { strategy }: Pick<Family, 'strategy'>,
  { isByNames }: Pick<Resolved, 'isByNames'>,
): RewriteContext['strategy'] {
  if (isByNames) return 'plain';
  return wanted === 'ordered' || (wanted === 'auto' && strategy === 'ordered') ? 'ordered' : 'single';
}

/**
 * The key of a rewrite in the cache: everything on which the rewrite depends, and that differs between sessions or changes while the proxy runs.
 * Every further member of the context becomes a part of the key without being named here. Rewrites for which columns or prepared statements
 * were looked up are not cached.
 */
function cacheKey(
  text: string,
  names: readonly RelationName[],
  { graph, meaning, returnedColumns, executable, profile, ...settings }: RewriteContext,
  { graphId, touched, sensitive }: { graphId: string; touched: boolean; sensitive: boolean },
): string {
  // With their names: a context whose settings come in another order has another key, and never that of another context.
  const named = JSON.stringify(settings satisfies Values);
  const flags = [touched, sensitive, profile.version, profile.family.name, named];
  return `${graphId}\0${names.map(meaning).join(',')}\0${flags.join()}\0${text}`;
}

/** What can be told apart as text. */
type Values = Readonly<Record<string, string | number | boolean>>;

/** The rewrite without the batches that would be tried at a limit. @param what why there are none */
function withoutBatches(made: Rewrite, what: string): Rewrite {
  const treatments = made.treatments.map((each) =>
    atLimitOf(each) ? limited(each, { kind: 'none', what }) : each,
  );
  return { ...made, treatments };
}

const AGAIN = 'an EXECUTE of what has to be prepared again with names beyond ASCII';
