/**
 * What a session knows of its surroundings: what names mean, whether cascading is on, and the graph.
 *
 * It asks the server once and remembers until something was sent that may change the answer. What slips through (a
 * function that sets the search_path) is caught by the expanded statement, which checks the name again.
 */
import { ProxyError } from '../errors.js';
import type { GraphCache } from '../graph/cache.js';
import {
  type Catalog,
  type Circumstances,
  catalogQuery,
  circumstancesQuery,
  readDocument,
  relationsNamed,
} from '../graph/catalog.js';
import { mergeGraph } from '../graph/merge.js';
import type { Graph } from '../graph/model.js';
import type { Rules } from '../graph/rules.js';
import type { SessionEffect } from '../sql/gate.js';
import { quoteRelation, type RelationName } from '../sql/names.js';
import type { Answer } from './injection.js';

/** Beyond it a session forgets and asks again. */
const MOST_NAMES = 1000;

export interface Surroundings {
  readonly graph: Graph;
  /** Names the graph among all graphs. */
  readonly graphId: string;
  /** False where the session or its role switched cascades off. */
  readonly active: boolean;
  readonly meaning: (name: RelationName) => number | null;
}

export interface CircumstancesOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  readonly graphs: GraphCache;
  readonly rules: Rules;
  readonly report: (problem: string) => void;
}

type Ask = (sql: string) => Promise<Answer>;

export class SessionCircumstances {
  readonly #options: CircumstancesOptions;
  #meanings = new Map<string, number | null>();
  #settings: { readonly mode: string | null; readonly replica: boolean } | undefined;
  /** The transaction changed settings or the schema: its end changes them back, or makes them seen by others. */
  #touched = false;
  #ddl = false;
  /** Where this session is, as far as it was asked; and when its last bytes came. */
  #server: string | undefined;
  #arrival: number;
  /** The catalog's state under which the meanings were asked for. */
  #fingerprint = '';
  /** Counts how often everything was forgotten. */
  #age = 0;

  constructor(options: CircumstancesOptions) {
    this.#options = options;
    this.#arrival = options.graphs.arrival;
  }

  /** Bytes came from the client. */
  arrived(): void {
    this.#arrival = this.#options.graphs.arrival;
  }

  /** A text with this effect is being sent. */
  note(effect: SessionEffect): void {
    if (effect === 'none' || (effect === 'ends' && !this.#touched)) return;
    this.#forget();
    if (effect === 'ends') return;
    this.#touched = true;
    if (effect === 'schema') this.#ddl = true;
  }

  /** Whether the open transaction has changed settings or the schema. */
  get touched(): boolean {
    return this.#touched;
  }

  /** Whether what was sent may have changed the schema. */
  get changing(): boolean {
    return this.#ddl;
  }

  /** A transaction is over. More may have been sent since, but what it changed others see from its answer on. */
  committed(): void {
    if (this.#ddl) this.#options.graphs.invalidate(this.#options.database);
  }

  /** The server is idle: no transaction is open. */
  idle(): void {
    if (!this.#touched) return;
    this.#forget();
    this.#touched = false;
    this.#ddl = false;
  }

  /**
   * @param ask puts a question to the server over this session
   * @returns the surroundings, or the answer that could not be had
   * @throws ProxyError PGC_MODE for a mode that is none
   */
  async look(
    names: readonly RelationName[],
    ask: Ask,
  ): Promise<Surroundings | Exclude<Answer, { kind: 'value' }>> {
    const { graphs, database } = this.#options;
    if (this.#meanings.size > MOST_NAMES) this.#meanings = new Map();
    const age = this.#age;
    const server = this.#server ?? graphs.server(database);
    // What the session's own transaction has changed only the catalog can tell.
    const moment = this.#ddl ? undefined : await graphs.moment(server, this.#arrival);
    let fingerprint = moment && graphs.fresh(database, moment);
    // In another catalog names may mean other relations, and what did not exist may exist by now.
    if (fingerprint === undefined || fingerprint !== this.#fingerprint) this.#meanings = new Map();
    const distinct = new Map(names.map((name) => [quoteRelation(name), name]));
    const unknown = [...distinct]
      .filter(([quoted]) => (this.#meanings.get(quoted) ?? null) === null)
      .map(([, name]) => name);
    const where = graphs.isWatched && this.#server === undefined;
    if (unknown.length > 0 || fingerprint === undefined || this.#settings === undefined || where) {
      const answer = await ask(circumstancesQuery(unknown, fingerprint === undefined, this.#named(), where));
      if (answer.kind !== 'value') return answer;
      const found = readDocument<Circumstances>(answer.value);
      this.#learn(unknown, found);
      fingerprint ??= found.fingerprint ?? '';
      this.#fingerprint = fingerprint;
      if (moment && found.current && found.fingerprint !== null)
        graphs.saw(database, found.fingerprint, moment);
      if (found.server !== null) this.#locate(found.server);
      // Whoever tells of changes elsewhere does not tell of changes here.
      if (where && this.#server !== server) return this.look(names, ask);
    }
    const graph = graphs.graph(database, fingerprint) ?? (await this.#load(fingerprint, ask));
    if (!('relation' in graph)) return graph;
    // While the server answered, it reported a change: what was remembered before is worth nothing.
    if (age !== this.#age) return this.look(names, ask);
    const active = this.#isActive();
    // A function may switch cascades on again, unseen: while they are off the server is asked each time.
    if (!active) this.#settings = undefined;
    return {
      graph,
      graphId: `${database}\0${fingerprint}`,
      active,
      meaning: (name) => this.#meanings.get(quoteRelation(name)) ?? null,
    };
  }

  async #load(fingerprint: string, ask: Ask): Promise<Graph | Exclude<Answer, { kind: 'value' }>> {
    const { graphs, database, rules, report } = this.#options;
    const answer = await ask(catalogQuery(rules.relations));
    if (answer.kind !== 'value') return answer;
    const graph = mergeGraph(readDocument<Catalog>(answer.value), rules);
    for (const { text } of graph.problems) if (graphs.isNews(database, text)) report(`${database}: ${text}`);
    graphs.keep(database, fingerprint, graph);
    return graph;
  }

  /** The relations that the configuration names. */
  #named(): readonly RelationName[] {
    return relationsNamed(this.#options.rules.relations);
  }

  #locate(server: string): void {
    const { graphs, database, report } = this.#options;
    this.#server = server;
    if (graphs.found(database, server))
      report(
        `graph.url leads to another database than ${database}: changes of its schema are noticed within graph.refresh`,
      );
  }

  #learn(names: readonly RelationName[], found: Circumstances): void {
    names.forEach((name, i) => {
      this.#meanings.set(quoteRelation(name), found.meanings[i] ?? null);
    });
    this.#settings = { mode: found.mode, replica: found.replica };
  }

  #isActive(): boolean {
    const mode = this.#settings?.mode ?? '';
    if (mode !== '' && mode !== 'on' && mode !== 'off') throw new ProxyError('PGC_MODE', { value: mode });
    return mode !== 'off' && this.#settings?.replica !== true;
  }

  #forget(): void {
    this.#age++;
    this.#meanings = new Map();
    this.#settings = undefined;
  }
}
