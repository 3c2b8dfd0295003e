/** The keys that a server of another family than PostgreSQL tells of, as one session sees them, with what the configuration says. */
import { createHash } from 'node:crypto';
import { graphByNames, graphOfTold } from '../../../graph/by-names.js';
import type { KnownGraph } from '../../../graph/cache.js';
import { UnreadableAnswer } from '../../../graph/catalog/answer.js';
import { type KeyQuestion, keyQuestion } from '../../../graph/told/question.js';
import type { SessionEvents } from '../../../observe/session-events.js';
import type { Family } from '../../../profiles/families/family.js';
import { isSentInSteps } from '../../../profiles/recognise.js';
import { ProtocolViolation } from '../../../wire/reader.js';
import type { SessionPolicy } from '../../policy/policy.js';
import type { Protocol } from '../../server/internal-query.js';
import type { TransactionState } from '../../server/transaction-state.js';
import type { Unanswered } from '../catalog-reader.js';
import type { DatabaseWarnings } from '../database-warnings.js';
import type { Other, OtherServer } from '../other-server.js';
import type { Reading } from '../seen-catalog.js';
import type { SessionCatalog } from '../session-catalog.js';

export interface ToldKeysOptions {
  readonly database: string;
  readonly policy: SessionPolicy;
  readonly events: Pick<SessionEvents, 'catalogRead'>;
  readonly warnings: DatabaseWarnings;
  readonly transaction: TransactionState;
  readonly catalog: SessionCatalog;
  readonly otherServer: OtherServer;
}

/** A graph, and whether it has the keys that the server has told of, or those of the configuration alone. */
export interface NamesGraph {
  readonly kind: 'graph';
  readonly known: KnownGraph;
  readonly isTold: boolean;
}

export class ToldKeys {
  readonly #options: ToldKeysOptions;

  constructor(options: ToldKeysOptions) {
    this.#options = options;
  }

  /**
   * The graph of a server, which is asked for its keys where its last answer is not fresh.
   * @throws ProtocolViolation where it answered with something else
   */
  async graph(server: Other, protocol: Protocol): Promise<NamesGraph | Unanswered> {
    const { catalog, otherServer, policy, warnings } = this.#options;
    const question = server.withoutCatalog ? undefined : keyQuestion(server.family);
    if (question === undefined) return this.#ofConfiguration();
    const seen = await catalog.see(() => this.#read(question, server.family, protocol));
    if (seen.kind === 'catalog state') return { kind: 'graph', known: seen.known, isTold: true };
    if (seen.kind !== 'failed' || otherServer.turnedOut === undefined) return seen;
    // Where nothing cascades, that was said.
    if (isSentInSteps(server.family, policy.current.strategy))
      warnings.warn(`${server.server} does not know the question for its keys: ${ALONE}`);
    return this.#ofConfiguration();
  }

  async #ofConfiguration(): Promise<NamesGraph> {
    const { keySettings, graphs } = this.#options.policy.current;
    return { kind: 'graph', known: await graphByNames(keySettings, graphs), isTold: false };
  }

  /** Within a transaction the server may look at an older state. */
  async #read(question: KeyQuestion, family: Family, protocol: Protocol): Promise<Reading | Unanswered> {
    const { events, otherServer, transaction } = this.#options;
    const facts = { written: false, current: transaction.isIdle, temporary: false };
    const began = performance.now();
    const answer = await otherServer.askKeys(question.sql, protocol);
    if (answer.kind !== 'value') return answer;
    events.catalogRead(performance.now() - began);
    const fingerprint = createHash('sha256').update(answer.value).digest('base64');
    return {
      kind: 'catalog state',
      facts,
      fingerprint,
      known: await this.#graphOf(answer.value, fingerprint, question, family),
    };
  }

  async #graphOf(
    answer: string,
    fingerprint: string,
    { read }: KeyQuestion,
    { plain }: Family,
  ): Promise<KnownGraph> {
    const { database, policy, warnings } = this.#options;
    const { graphs, keySettings } = policy.current;
    const known = graphs.get(database, fingerprint);
    if (known) return known;
    try {
      const graph = await graphOfTold(read(Buffer.from(answer, 'latin1')), keySettings, plain.ignoresCase);
      for (const { text } of graph.problems) warnings.warn(text);
      return graphs.set(database, fingerprint, graph, answer.length);
    } catch (error) {
      throw error instanceof UnreadableAnswer ? new ProtocolViolation(error.message) : error;
    }
  }
}

const ALONE = 'those of the configuration alone are performed';
