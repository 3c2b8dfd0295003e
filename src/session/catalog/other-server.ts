/**
 * A server that speaks the protocol and is not PostgreSQL, or is too old: its catalog cannot be read. What cannot concern
 * the configuration passes through it; the rest is refused by name.
 */
import { ProxyError } from '../../errors.js';
import type { SessionEvents } from '../../observe/session-events.js';
import { OLDEST_POSTGRES } from '../../profiles/profile.js';
import {
  otherThanPostgres,
  reportedServer,
  VERSION_QUESTION,
  WITHOUT_VERSION,
} from '../../profiles/recognise.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';
import type { SessionPolicy } from '../policy/policy.js';
import { isLanguage } from '../server/error-classes.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { Answer } from '../server/question.js';
import type { ServerState } from '../server/server-state.js';
import type { TransactionState } from '../server/transaction-state.js';

export interface OtherServerOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  readonly policy: SessionPolicy;
  readonly events: SessionEvents;
  readonly queries: InternalQueries;
  readonly state: ServerState;
  readonly transaction: TransactionState;
}

interface Other {
  readonly kind: 'other';
  readonly name: string;
}

/** What has not been asked ends as the answer to the question did. */
export type Recognised = { readonly kind: 'postgres' } | Other | Exclude<Answer, { kind: 'value' }>;

export class OtherServer {
  readonly #options: OtherServerOptions;

  constructor(options: OtherServerOptions) {
    this.#options = options;
  }

  /**
   * Recognises the server by what it reported at the login, and by one question, which is asked once for a database.
   * @param protocol how it is asked
   */
  async recognise(protocol: Protocol): Promise<Recognised> {
    const reported = reportedServer((name) => this.#options.state.parameter(name));
    if (reported !== undefined) return this.#found(reported);
    const known = this.#options.policy.graphs.serverKind(this.#key);
    if (known !== undefined) return recognised(known);
    const { queries, transaction } = this.#options;
    // Elsewhere the error has ended the client's transaction, so it is the client's too.
    const alone = protocol === 'simple' && transaction.isIdle;
    let other: string | undefined;
    const answer = await queries.ask(VERSION_QUESTION, protocol, (error) => {
      if (!isLanguage(error)) return false;
      other = WITHOUT_VERSION;
      return alone;
    });
    if (answer.kind === 'value') return this.#found(otherThanPostgres(answer.value));
    const found = other === undefined ? undefined : this.#found(other);
    return found !== undefined && alone ? found : answer;
  }

  /** @throws ProxyError PGC_SERVER where a name may be that of a table with rows to cascade to */
  refuse({ name: server }: Other, names: readonly RelationName[]): void {
    const { overrides, relations } = this.#options.policy.current.keySettings;
    // Which table a key references that has an override, only the catalog could tell.
    const concerned = names.find(
      (name) => overrides.length > 0 || relations.some(({ to }) => mayBe(name, to.schema, to.table)),
    );
    if (concerned) throw new ProxyError('PGC_SERVER', { table: quoteRelation(concerned), server });
  }

  /**
   * The same of a text whose statements are not understood: not even what a literal is can be told, so names count wherever
   * they stand.
   * @throws ProxyError PGC_SERVER
   */
  refuseText({ name: server }: Other, text: string): void {
    const { overrides, relations } = this.#options.policy.current.keySettings;
    const lower = text.toLowerCase();
    const concerned = relations.find(({ to }) => lower.includes(to.table.toLowerCase()));
    const unclear = overrides.length > 0 || (relations.length > 0 && /u&"/i.test(text));
    if (concerned || unclear)
      throw new ProxyError('PGC_SERVER', { table: concerned?.to.table ?? 'a table', server });
  }

  #found(kind: string): Recognised {
    const { database, events, policy } = this.#options;
    if (policy.graphs.recordServerKind(this.#key, kind) && kind !== '')
      events.warned(
        `the server of ${database} is not PostgreSQL ${OLDEST_POSTGRES} or later but ${kind}: its keys are unknown, and nothing cascades`,
      );
    return recognised(kind);
  }

  /** A server of another version is asked again. */
  get #key(): string {
    return `${this.#options.database}\0${this.#options.state.parameter('server_version')}`;
  }
}

function recognised(kind: string): Recognised {
  return kind === '' ? { kind: 'postgres' } : { kind: 'other', name: kind };
}

/** Names compared without case, as not every server folds them as PostgreSQL does; one without a schema is in any. */
function mayBe(name: RelationName, schema: string, table: string): boolean {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  return same(name.name, table) && (name.schema === undefined || same(name.schema, schema));
}
