/** Reads the catalog over one session: what names mean there, the fingerprint, and the graph, which is kept for all sessions. */
import type { KnownGraph } from '../../graph/cache.js';
import {
  type CatalogAnswer,
  readAnswer,
  type SessionFacts,
  UnreadableAnswer,
} from '../../graph/catalog/answer.js';
import type { Catalog } from '../../graph/catalog/catalog.js';
import { type CatalogQuestion, catalogQuestion } from '../../graph/catalog/question.js';
import { mergeGraph } from '../../graph/merge.js';
import type { SessionEvents } from '../../observe/session-events.js';
import type { Profile } from '../../profiles/profile.js';
import type { RelationName } from '../../sql/names.js';
import { ProtocolViolation } from '../../wire/reader.js';
import type { GuardSetting } from '../policy/guard-setting.js';
import type { SessionPolicy } from '../policy/policy.js';
import type { Answer } from '../server/question.js';
import type { ServerState } from '../server/server-state.js';
import { DatabaseWarnings } from './database-warnings.js';
import type { OtherServer } from './other-server.js';
import type { CatalogState } from './own-catalog-state.js';
import { NO_GRAPH } from './resolved-context.js';

/**
 * These take the place of the fingerprint where the server does all that the keys of a database declare: the graph that the proxy acts on
 * is empty.
 * `for now`: there are event triggers, so any DDL may bring keys.
 */
export const SERVER_DOES_ALL = 'server does all';
const SERVER_DOES_ALL_FOR_NOW = 'server does all for now';

/** Whether what a session sees leaves nothing to the proxy. */
export function showsServerDoesAll({ fingerprint }: CatalogState): boolean {
  return fingerprint === SERVER_DOES_ALL || fingerprint === SERVER_DOES_ALL_FOR_NOW;
}
const NO_CATALOG: Catalog = { relations: [], keys: [], configured: [] };

export interface CatalogReaderOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  readonly policy: SessionPolicy;
  readonly guardSetting: Pick<GuardSetting, 'mayBeSet'>;
  readonly events: SessionEvents;
  readonly state: ServerState;
  readonly otherServer: Pick<OtherServer, 'noteSetting'>;
}

/** Whether cascades may be done in batches here: these need the keys that the server performs as well. */
export function mayBatch({ policy, guardSetting }: CatalogReaderOptions): boolean {
  const { batchRows, onLimit } = policy.current;
  return batchRows > 0 || onLimit === 'batch' || guardSetting.mayBeSet;
}

/** Puts a question to the server over this session. */
export type Ask = (sql: string) => Promise<Answer>;
export type Unanswered = Exclude<Answer, { kind: 'value' }>;

/** What the server has told of the catalog in one statement, and the graph that follows from it. */
export interface CatalogReading extends CatalogState {
  readonly facts: SessionFacts;
}

export class CatalogReader {
  readonly #options: CatalogReaderOptions;
  readonly #warnings: DatabaseWarnings;
  /** The session has made a temporary relation: from then on each question asks for these too. */
  #hasTemporaries = false;

  constructor(options: CatalogReaderOptions) {
    this.#options = options;
    this.#warnings = new DatabaseWarnings(options);
  }

  /** @returns what the server told, or why there is no answer. @throws ProtocolViolation where the answer is nonsense */
  async ask(asked: Omit<CatalogQuestion, 'temporary'>, ask: Ask): Promise<CatalogAnswer | Unanswered> {
    const { database, otherServer, policy, state } = this.#options;
    const { graphs, keySettings } = policy.current;
    const isPlain = keySettings.overrides.length === 0 && keySettings.relations.length === 0;
    // A graph that is empty as long as a short look says so needs no fingerprint.
    const isShort = isPlain && !mayBatch(this.#options) && state.profile.family.keys !== 'inert';
    const mayDoAll = asked.fingerprint && isShort;
    const fingerprint = asked.fingerprint && (asked.catalog || !mayDoAll || !graphs.serverDoesAll(database));
    const question = { ...asked, temporary: this.#hasTemporaries, serverDoesAll: mayDoAll, fingerprint };
    const answer = await ask(catalogQuestion(question, keySettings.relations));
    if (answer.kind !== 'value') return answer;
    const found = await readAnswer(answer.value).catch(refuseNonsense);
    if (found.serverDoesAll !== null) graphs.recordServerDoesAll(database, found.serverDoesAll);
    if (found.temporary === null) this.#hasTemporaries = true;
    otherServer.noteSetting(found.citus);
    return found;
  }

  /** @returns undefined where the graph of what was found is not known, and not certain to be empty */
  known(facts: SessionFacts): CatalogReading | undefined {
    const { database, policy } = this.#options;
    const { graphs } = policy;
    const doesAll = facts.hooked ? SERVER_DOES_ALL_FOR_NOW : SERVER_DOES_ALL;
    const fingerprint = facts.serverDoesAll ? doesAll : (facts.fingerprint ?? '');
    let known = graphs.get(database, fingerprint);
    if (facts.serverDoesAll) known ??= graphs.set(database, fingerprint, NO_GRAPH, 0);
    return known && { kind: 'catalog state', facts, fingerprint, known };
  }

  /**
   * Reads the whole catalog. Of those sessions that would keep the same graph, one does.
   * @param names are asked for with it
   * @param facts what was found before
   */
  async readInTurn(
    names: readonly RelationName[],
    { written, fingerprint }: SessionFacts,
    ask: Ask,
  ): Promise<CatalogReading | Unanswered | 'read by another'> {
    const { database, policy } = this.#options;
    if (written) return this.#read(names, ask);
    const end = await policy.graphs.turn(database, fingerprint ?? '');
    if (end === undefined) return 'read by another';
    try {
      return await this.#read(names, ask);
    } finally {
      end();
    }
  }

  /** Reads the catalog in one statement with its fingerprint and with what the names mean in it. */
  async #read(names: readonly RelationName[], ask: Ask): Promise<CatalogReading | Unanswered> {
    const { events } = this.#options;
    const began = performance.now();
    const found = await this.ask({ names, fingerprint: true, catalog: true, server: false }, ask);
    if (found.kind !== 'facts') return found;
    events.catalogRead(performance.now() - began);
    const known = await this.#graphOf(found);
    return { kind: 'catalog state', facts: found, fingerprint: found.fingerprint ?? '', known };
  }

  async #graphOf({ bytes, catalog, fingerprint, written }: CatalogAnswer): Promise<KnownGraph> {
    const { database, policy, state } = this.#options;
    const { graphs, keySettings } = policy.current;
    const graph = await mergeGraph(asEnforced(catalog ?? NO_CATALOG, state.profile), keySettings);
    for (const { text } of graph.problems) this.#warnings.warn(text);
    // What was found in a transaction that had written something stays with this session.
    return written ? graphs.ownGraph(graph) : graphs.set(database, fingerprint ?? '', graph, bytes);
  }
}

/** An answer that is not one to the question ends the session: nothing that such a server says can be trusted. */
function refuseNonsense(error: unknown): never {
  throw error instanceof UnreadableAnswer ? new ProtocolViolation(error.message) : error;
}

/** What the catalog of a server says that stores keys and enforces none of them: it need not say so of each. */
function asEnforced(catalog: Catalog, { family }: Profile): Catalog {
  if (family.keys !== 'inert') return catalog;
  return { ...catalog, keys: catalog.keys.map((key) => ({ ...key, enforced: false })) };
}
