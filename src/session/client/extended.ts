/**
 * The extended query protocol of a session: prepared statements and portals, from Parse to Close
 * (protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY).
 */

import type { Rewrite } from '../../rewrite/text.js';
import { kept, mayTakeData, withoutText } from '../../sql/lexer/look.js';
import { readBind, readParse, readTarget, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Frontend } from '../../wire/types.js';
import { type PreparedStatement, UNWATCHED } from '../decide/prepared-statement.js';
import { isRefused, replacement } from '../decide/replacement.js';
import type { Executor } from '../execute/executor.js';
import type { FrontendOptions } from '../execute/frontend-options.js';
import { encodingOf } from '../server/encoding.js';
import { sealed, sentText } from '../server/markers.js';
import { REBOUND, SCRATCH } from '../server/own-statements.js';
import { ResultColumns } from '../server/result-columns.js';
import { descriptionReplies, swallowedReplies, undoneReplies } from '../server/results.js';
import { Executions } from './executions.js';
import { isShort, type Portals } from './portals.js';
import type { UnansweredNames } from './unanswered-names.js';
import type { UnitOfWork } from './unit-of-work.js';
import { UnnamedStatement } from './unnamed-statement.js';

export class ExtendedQueries {
  readonly #options: FrontendOptions;
  readonly #executions: Executions;
  readonly #unnamed: UnnamedStatement;
  readonly #unit: UnitOfWork;
  readonly #portals: Portals;
  readonly #unanswered: UnansweredNames;

  constructor(
    options: FrontendOptions,
    executor: Executor,
    unit: UnitOfWork,
    portals: Portals,
    unanswered: UnansweredNames,
  ) {
    this.#options = options;
    this.#unit = unit;
    this.#portals = portals;
    this.#unanswered = unanswered;
    this.#unnamed = new UnnamedStatement(options);
    this.#executions = new Executions(options, executor, unit, portals, async (name, prepared, rewrite) => {
      // The client may have given the name to another statement since the portal was bound.
      const isGone = options.prepared.get(name)?.result !== prepared.result;
      const lost = prepared.lost || isGone;
      const wanted = await replacement(name, { ...prepared, lost }, rewrite, options);
      const under = isGone ? REBOUND : name;
      return { prepared: wanted ? this.#prepareAgain(under, prepared, wanted) : prepared, under };
    });
  }

  /** Whether executing a portal may make the server take data from the client. */
  takesData(portal: string): boolean {
    const bound = this.#portals.get(portal);
    return bound !== undefined && mayTakeData(bound.seen);
  }

  /** As Dispatch.take. */
  take(message: Message): Promise<void> | undefined {
    switch (message.type) {
      case Frontend.Parse:
        return this.#parse(message);
      case Frontend.Bind:
        return this.#bind(message);
      case Frontend.Describe:
        return this.#describe(message);
      case Frontend.Execute:
        return this.#executions.execute(message);
      default:
        return this.#close(message);
    }
  }

  #parse(message: Message): Promise<void> | undefined {
    const read = readParse(message);
    if (read === undefined) return this.#refused(message, 'Parse');
    const { name, text, types } = read;
    const waiting = name === '' ? this.#executions.settle() : undefined;
    if (waiting) return waiting.then(() => this.#parse(message));
    const seen = this.#options.decider.look(text);
    if (!this.#options.decider.concerns(seen)) {
      this.#options.server.forward(message);
      const plain = seen.effect === 'none' && !mayTakeData(seen);
      return this.#enter(name, plain ? undefined : { ...UNWATCHED, types, seen: withoutText(seen) });
    }
    const encoding = encodingOf(this.#options.state);
    return this.#options.decider
      .decide(seen, this.#executions.source(name, { types, encoding }))
      .then((decision) => {
        if (decision.kind === 'pass') {
          this.#options.server.forward(message);
          return this.#enter(name, { ...UNWATCHED, types, seen: withoutText(seen) });
        }
        const { stretch } = this.#unit;
        if (name === '' && this.#unnamed.keeps({ seen, encoding, types }, decision.rewrite, stretch)) return;
        const rewrite = sealed(decision.rewrite);
        const result = new ResultColumns();
        const prepared = {
          ...UNWATCHED,
          seen: kept(seen),
          encoding,
          types,
          rewrite,
          result,
        };
        const undo = this.#options.prepared.set(name, prepared);
        if (name === '') this.#unnamed.sent(prepared, stretch);
        if (rewrite.changed) this.#options.server.write(write.parse(name, sentText(rewrite), types));
        else this.#options.server.forward(message);
        this.#unanswered.expect(
          'Parse',
          descriptionReplies(this.#options.decider.translation(rewrite), undo),
        );
        if (rewrite.targets.length === 0) return;
        this.#options.server.write(write.describeStatement(name));
        this.#options.replies.expect('Describe', result.described(rewrite));
      });
  }

  /** A Parse of a text that does not delete was sent. */
  #enter(name: string, prepared: PreparedStatement | undefined): undefined {
    if (prepared || this.#options.prepared.get(name))
      this.#unanswered.expect('Parse', undoneReplies(this.#options.prepared.set(name, prepared)));
    else this.#options.replies.expect('Parse');
  }

  #bind(message: Message): Promise<void> | undefined {
    const read = readBind(message);
    if (read === undefined) return this.#refused(message, 'Bind');
    const { portal, statement } = read;
    const prepared = this.#options.prepared.get(statement);
    if (prepared?.rewrite === undefined) return this.#executions.bind(message, portal, statement, prepared);
    const { marker } = prepared.rewrite;
    // A value that repeats the marker makes it worthless: the statement is prepared again, with another one.
    const spent =
      marker !== undefined && message.buffer.subarray(message.start, message.end).includes(marker);
    const known = spent && !prepared.inSql ? { ...prepared, lost: true } : prepared;
    return this.#wanted(statement, known, isShort(message)).then((wanted) => {
      const current = wanted ? this.#prepareAgain(statement, known, wanted) : prepared;
      this.#executions.bind(message, portal, statement, current);
    });
  }

  /**
   * A prepared statement outlives a change of the graph and of the mode: what is sent for it is decided anew each time it
   * is used.
   * @returns what it has to be prepared as now; undefined where it is
   */
  async #wanted(name: string, prepared: PreparedStatement, mayRepeat: boolean): Promise<Rewrite | undefined> {
    const source = this.#executions.source(name, prepared);
    const retries = source.retries && mayRepeat;
    const decision = await this.#options.decider.decide(prepared.seen, { ...source, retries });
    return decision.kind === 'pass'
      ? undefined
      : replacement(name, prepared, decision.rewrite, this.#options);
  }

  #prepareAgain(name: string, prepared: PreparedStatement, wanted: Rewrite): PreparedStatement {
    const rewrite = sealed(wanted);
    const current: PreparedStatement = { ...prepared, rewrite, lost: false };
    const translation = this.#options.decider.translation(rewrite);
    const refused = isRefused(rewrite);
    // What is refused fails under a name of the proxy's own: the client's statement stays what it is.
    const under = refused ? SCRATCH : name;
    this.#options.server.write(
      Buffer.concat([write.close('S', under), write.parse(under, sentText(rewrite), prepared.types)]),
    );
    const undo = refused ? () => {} : this.#options.prepared.set(name, current);
    const lose = refused ? undo : () => void this.#options.prepared.set(name, { ...current, lost: true });
    this.#options.replies.expect('Close', swallowedReplies(translation, undo));
    this.#options.replies.expect('Parse', swallowedReplies(translation, undo, lose));
    return current;
  }

  #describe(message: Message): Promise<void> | undefined {
    const target = readTarget(message);
    if (target === undefined) return this.#refused(message, 'Describe');
    const { kind, name } = target;
    if (kind === 'P') return this.#describeAs(message, this.#portals.get(name));
    const prepared = this.#options.prepared.get(name);
    if (prepared?.rewrite === undefined) return this.#describeAs(message, prepared);
    return this.#wanted(name, prepared, true).then((wanted) => {
      // What is refused is the execution. Where the result has changed, the server itself says so of the old statement.
      const changed = wanted && !isRefused(wanted);
      this.#describeAs(message, changed ? this.#prepareAgain(name, prepared, wanted) : prepared);
    });
  }

  #describeAs(message: Message, prepared: PreparedStatement | undefined): undefined {
    this.#options.server.forward(message);
    const replies =
      prepared?.rewrite && descriptionReplies(this.#options.decider.translation(prepared.rewrite));
    this.#options.replies.expect('Describe', replies);
  }

  #close(message: Message): Promise<void> | undefined {
    const target = readTarget(message);
    if (target === undefined) return this.#refused(message, 'Close');
    const { kind, name } = target;
    const waiting = kind === 'S' && name === '' ? this.#executions.settle() : undefined;
    if (waiting) return waiting.then(() => this.#close(message));
    this.#options.server.forward(message);
    const { prepared } = this.#options;
    const undo = kind === 'S' ? prepared.forget(name) : this.#portals.forget(name);
    this.#options.replies.expect('Close', undo && undoneReplies(undo));
  }

  /** The server refuses a message that is not well-formed; it has no effect. */
  #refused(message: Message, type: 'Parse' | 'Bind' | 'Describe' | 'Close'): undefined {
    this.#options.server.forward(message);
    this.#options.replies.expect(type);
  }
}
