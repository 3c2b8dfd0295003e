/**
 * Recognises a server that speaks the protocol and whose catalog is not asked, and tells which texts may concern the configuration there. A
 * text that cannot is sent as it is; any other is carried out in plain statements, or refused by name.
 */
import { ProxyError } from '../../errors.js';
import { nameConcerned, tableInText } from '../../graph/by-names.js';
import type { SessionEvents } from '../../observe/session-events.js';
import { CITUS } from '../../profiles/families/citus.js';
import type { Family } from '../../profiles/families/family.js';
import { POSTGRES } from '../../profiles/families/postgres.js';
import { UNKNOWN } from '../../profiles/families/unknown.js';
import {
  answeredFamily,
  isSentInSteps,
  type Recognition,
  reasonOf,
  reportedFamily,
  VERSION_QUESTION,
  WITHOUT_VERSION,
} from '../../profiles/recognise.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import { errorResponse, Field, readErrorFields } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';
import type { SessionPolicy } from '../policy/policy.js';
import { isLanguage, isUnknownThere, isUnknownToPostgres } from '../server/error-classes.js';
import { proxyErrorFields } from '../server/farewell.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { Answer, AnswerHandling } from '../server/question.js';
import type { ServerState } from '../server/server-state.js';
import type { TransactionState } from '../server/transaction-state.js';

export interface OtherServerOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  /** The server, as the configuration names it. */
  readonly host: string;
  /** What the configuration says that it is; undefined where it does not. */
  readonly family: Recognition | undefined;
  readonly policy: SessionPolicy;
  readonly events: SessionEvents;
  readonly queries: InternalQueries;
  readonly state: ServerState;
  readonly transaction: TransactionState;
}

/** A server whose catalog is not asked. */
export interface Other extends Recognition {
  readonly kind: 'other';
}

/** `catalog`: a server that can be asked for its keys. A question without an answer gives the kind of that. */
export type Recognised = { readonly kind: 'catalog' } | Other | Exclude<Answer, { kind: 'value' }>;

export class OtherServer {
  readonly #options: OtherServerOptions;
  /** What this session has found out of its server. Other sessions do not go by it, as a client can set any setting. */
  #own: Recognition | undefined;
  /** The server has not understood a question, and the client has got no error of that. */
  #turnedOut = false;
  /** What it was found to be last. */
  #known: Recognition | undefined;

  constructor(options: OtherServerOptions) {
    this.#options = options;
  }

  /**
   * Recognises the server by the configuration, by what it reported at the login, or by one question, which is asked once for a
   * database.
   * @param protocol how it is asked
   * @param isWorthAnError it is asked in the client's transaction, too, which ends with an error where it does not know the question
   */
  async recognise(protocol: Protocol, isWorthAnError = false): Promise<Recognised> {
    const { family, host, policy, queries, state } = this.#options;
    const known = this.#own ?? policy.graphs.serverKind(this.#key);
    if (known !== undefined) return this.#recognised(known);
    if (family !== undefined) return this.#found(family);
    const reported = reportedFamily(host, (name) => state.parameter(name));
    if (reported.kind === 'certain') return this.#found(reported.recognition);
    const isAlone = this.#isAlone(protocol);
    const guess = reported.kind === 'maybe' ? reported.recognition : WITHOUT_VERSION;
    // Most texts concern no key: for those, to know the server is not worth an error that ends the client's transaction.
    if (reported.kind === 'maybe' && !isAlone && !isWorthAnError) return this.#recognised(guess);
    const foreign = this.#foreign(isLanguage, isAlone, guess);
    const answer = await queries.ask(VERSION_QUESTION, protocol, foreign.handling);
    if (answer.kind === 'value') return this.#found(answeredFamily(answer.value, guess));
    if (!foreign.is()) return answer;
    const found = this.#found(guess);
    return isAlone ? found : answer;
  }

  /**
   * Asks a server for its catalog. One of another family than PostgreSQL's may not know everything that is asked: then it counts as a server
   * without a catalog from then on.
   */
  async askCatalog(sql: string, protocol: Protocol): Promise<Answer> {
    const { family: chosen, queries, state } = this.#options;
    const { family } = state.profile;
    const isCertain = family === POSTGRES && chosen === undefined;
    if (isCertain) return queries.askUntimed(sql, protocol);
    const isForeign = family === POSTGRES ? isUnknownToPostgres : isLanguage;
    return this.#askOrTurnOut(isForeign, protocol, (handling) => queries.askUntimed(sql, protocol, handling));
  }

  /**
   * Asks a server of another family for its keys (graph/told). Where it does not know the question, only those of the configuration count from
   * then on; after any other error the client gets one that says that the keys could not be read.
   */
  askKeys(sql: string, protocol: Protocol): Promise<Answer> {
    const { queries } = this.#options;
    const failed = (error: Message) => {
      const reason = readErrorFields(error).get(Field.message) ?? '';
      const { server } = this.#current(this.#options.state.profile.family);
      return errorResponse(proxyErrorFields(new ProxyError('PGC_FAMILY_KEYS', { server, reason })));
    };
    return this.#askOrTurnOut(isUnknownThere, protocol, (handling) =>
      queries.ask(sql, protocol, {
        ...handling,
        instead: (error) => handling.instead?.(error) ?? failed(error),
      }),
    );
  }

  async #askOrTurnOut(
    isForeign: (error: Message) => boolean,
    protocol: Protocol,
    ask: (handling: AnswerHandling) => Promise<Answer>,
  ): Promise<Answer> {
    const isAlone = this.#isAlone(protocol);
    const now = this.#current(this.#options.state.profile.family);
    const foreign = this.#foreign(isForeign, isAlone, now);
    const answer = await ask(foreign.handling);
    if (foreign.is()) {
      this.#found({ ...now, withoutCatalog: true });
      this.#turnedOut = isAlone;
    }
    return answer;
  }

  /** What the server's scanner reads otherwise than PostgreSQL's; until the server is known, everything that any family's does. */
  get tokens(): Family['tokens'] {
    this.#known ??= this.#options.policy.graphs.serverKind(this.#key) ?? this.#options.family;
    return (this.#known?.family ?? UNKNOWN).tokens;
  }

  /** The server, where it has just turned out that its catalog cannot be asked, and the client has got no error of that. */
  get turnedOut(): Other | undefined {
    if (!this.#turnedOut) return undefined;
    this.#turnedOut = false;
    return { kind: 'other', ...this.#current(this.#options.state.profile.family) };
  }

  /** The catalog has told the value of the setting by which Citus is known; null where there is none. */
  noteSetting(value: string | null): void {
    const { family, state } = this.#options;
    if (value === null || family !== undefined || state.profile.family !== POSTGRES) return;
    this.#own = { family: CITUS, server: `Citus ${value}` };
    this.#warn(this.#own);
    this.#recognised(this.#own);
  }

  /** Whether a name may be that of a table with rows to cascade to. */
  concerns(names: readonly RelationName[]): boolean {
    return nameConcerned(names, this.#options.policy.current.keySettings) !== undefined;
  }

  /** @throws ProxyError PGC_SERVER where a name may be that of a table with rows to cascade to */
  refuse(server: Other, names: readonly RelationName[]): void {
    const concerned = nameConcerned(names, this.#options.policy.current.keySettings);
    if (concerned) throw refusal(quoteRelation(concerned), server);
  }

  /** Whether a text whose statements are not understood may concern such a table. */
  mayConcern(text: string): boolean {
    return tableInText(text, this.#options.policy.current.keySettings) !== undefined;
  }

  /**
   * @param tables with rows to cascade to, where the server has told which; else the configuration says it
   * @throws ProxyError PGC_SERVER where it may; PGC_FAMILY where another text would be carried out
   */
  refuseText(server: Other, text: string, tables?: Parameters<typeof tableInText>[1]): void {
    const { keySettings, strategy } = this.#options.policy.current;
    const table = tableInText(text, tables ?? keySettings);
    if (table === undefined) return;
    if (!isSentInSteps(server.family, strategy)) throw refusal(table, server);
    throw new ProxyError('PGC_FAMILY', { table, server: server.server, what: NOT_READ });
  }

  /** Whether a question is a transaction of its own. Elsewhere its error has ended the client's transaction, so the client gets it. */
  #isAlone(protocol: Protocol): boolean {
    return protocol === 'simple' && this.#options.transaction.isIdle;
  }

  /** How an error is handled by which a server shows that it does not know a question: the client never gets its words. */
  #foreign(isForeign: (error: Message) => boolean, isAlone: boolean, server: Recognition) {
    let is = false;
    const handling: AnswerHandling = {
      isOurs(error) {
        is = isForeign(error);
        return is && isAlone;
      },
      instead: () => (is ? errorResponse(proxyErrorFields(refusal('a table', server))) : undefined),
    };
    return { handling, is: () => is };
  }

  #current(family: Recognition['family']): Recognition {
    const known = this.#own ?? this.#options.policy.graphs.serverKind(this.#key);
    return known ?? { family, server: family.name };
  }

  #found(recognition: Recognition): Recognised {
    const news = this.#options.policy.graphs.recordServerKind(this.#key, recognition);
    const recognised = this.#recognised(recognition);
    const { family } = recognition;
    if (news && (recognised.kind === 'other' || family.strategy !== 'single')) this.#warn(recognition);
    return recognised;
  }

  #recognised(recognition: Recognition): Recognised {
    const { state } = this.#options;
    state.recognised(recognition.family);
    this.#known = recognition;
    const isAsked = state.profile.hasCatalog && !recognition.withoutCatalog;
    return isAsked ? { kind: 'catalog' } : { kind: 'other', ...recognition };
  }

  #warn(found: Recognition): void {
    const { database, events, policy } = this.#options;
    const { server } = found;
    const what = isSentInSteps(found.family, policy.current.strategy)
      ? 'a cascade is carried out there by several statements (docs/databases.md)'
      : 'nothing cascades there, and a DELETE that would have to is refused';
    const text = `the server of ${database} is ${server}, and ${reasonOf(found)}: ${what}`;
    if (policy.graphs.isNews(database, text)) events.warned(text);
  }

  /** A server of another version is asked again. */
  get #key(): string {
    return `${this.#options.database}\0${this.#options.state.parameter('server_version')}`;
  }
}

const NOT_READ = 'a statement that is not understood here';
/** PGC_SERVER: no cascade is sent to this server. */
export function refusal(table: string, found: Recognition): ProxyError {
  return new ProxyError('PGC_SERVER', { table, server: found.server, reason: reasonOf(found) });
}
