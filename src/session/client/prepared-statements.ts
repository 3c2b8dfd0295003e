/**
 * The client's prepared statements. The graph and the session's settings may change after one was prepared: so what has to be sent for
 * the text of one that deletes is decided each time it is used, and it is prepared again where that is another text than the server has.
 */
import { passedOn, type Rewrite } from '../../rewrite/text.js';
import { write } from '../../wire/frontend.js';
import { sealed, sentText } from '../answers/markers.js';
import { swallowedReplies } from '../answers/results.js';
import type { Decider } from '../decide/decider.js';
import type { StatementSource } from '../decide/decision.js';
import type { ClientNames } from '../decide/names.js';
import type { PreparedStatement } from '../decide/prepared-statement.js';
import { isRefusal, replacement } from '../decide/replacement.js';
import { lockTables } from '../execute/table-locks.js';
import type { InternalQueries } from '../server/internal-query.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies } from '../server/outstanding-replies.js';
import { REBOUND, SCRATCH } from '../server/own-statements.js';
import type { UnitOfWork } from './unit-of-work.js';

interface PreparedStatementsOptions {
  readonly statementNames: ClientNames<PreparedStatement>;
  readonly decider: Decider;
  readonly queries: InternalQueries;
  readonly server: Output;
  readonly replies: OutstandingReplies;
  readonly unit: UnitOfWork;
}

export class PreparedStatements {
  readonly #options: PreparedStatementsOptions;

  constructor(options: PreparedStatementsOptions) {
    this.#options = options;
  }

  get(name: string): PreparedStatement | undefined {
    return this.#options.statementNames.get(name);
  }

  /** @returns what takes the change back */
  set(name: string, prepared: PreparedStatement | undefined): () => void {
    return this.#options.statementNames.set(name, prepared);
  }

  /** @returns what takes it back; undefined where there was nothing to forget */
  forget(name: string): (() => void) | undefined {
    return this.#options.statementNames.forget(name);
  }

  /**
   * Where the text of a prepared statement comes from. The unnamed one is executed next, in the unit of work that goes on; one with a
   * name may be executed at any time, in any transaction.
   */
  source(name: string, { types, encoding }: Pick<PreparedStatement, 'types' | 'encoding'>): StatementSource {
    const retries = name === '' && this.#options.unit.isInBlock === false;
    return { protocol: 'extended', inString: false, types, retries, encoding };
  }

  /**
   * Decides again what has to be sent for the text of a statement.
   * @param mayRepeat whether an execution of it may be repeated
   * @returns what has to be prepared in its place; undefined where the server has what it should have
   */
  async wanted(name: string, prepared: PreparedStatement, mayRepeat: boolean): Promise<Rewrite | undefined> {
    const { decider } = this.#options;
    const source = this.source(name, prepared);
    const decision = await decider.decide(prepared.look, { ...source, retries: source.retries && mayRepeat });
    if (decision.kind !== 'pass') {
      const wanted = await this.#replacement(name, prepared, decision.rewrite);
      if (wanted === undefined) this.#renew(name, decision.rewrite);
      return wanted;
    }
    if (prepared.rewrite) return this.#replacement(name, prepared, passedOn(prepared.look.text));
    this.set(name, { ...prepared, passedBy: decider.policy });
    return undefined;
  }

  /**
   * The server has the text that it should have. What goes with that text may have changed: a key may have been renamed, and rows may have
   * to be locked before it, or no longer.
   */
  #renew(name: string, decided: Rewrite): void {
    const known = this.get(name);
    if (known?.rewrite === undefined) return;
    const now = renewed(known.rewrite, decided, known.inSql);
    const isOther = !isSame(known.rewrite, now);
    const rewrite = isOther ? now : known.rewrite;
    const grounds = this.#options.decider.grounds.of(known.look, rewrite);
    if (isOther || grounds !== undefined) this.set(name, { ...known, rewrite, grounds });
  }

  /**
   * Prepares a statement again. A refusal is prepared under a name of the proxy's own, and fails there: the client's
   * statement stays what it is.
   * @returns the statement as it is now
   */
  prepareAgain(name: string, prepared: PreparedStatement, wanted: Rewrite): PreparedStatement {
    const { decider, server, replies } = this.#options;
    const rewrite = sealed(wanted);
    const grounds = decider.grounds.of(prepared.look, rewrite);
    const current: PreparedStatement = { ...prepared, rewrite, grounds, lost: false };
    const refused = isRefusal(rewrite);
    const under = refused ? SCRATCH : name;
    lockTables(rewrite, this.#options);
    if (prepared.rewrite === undefined && !refused) this.#describeFirst(name, prepared);
    server.write(
      Buffer.concat([write.close('S', under), write.parse(under, sentText(rewrite), prepared.types)]),
    );
    const undo = refused ? () => {} : this.set(name, current);
    // Where the server refuses the Parse, it has executed the Close: there is no statement of this name any more.
    const lose = refused ? undo : () => void this.set(name, { ...current, lost: true });
    const translation = decider.translation(rewrite);
    replies.expect('Close', swallowedReplies(translation, undo));
    replies.expect('Parse', swallowedReplies(translation, undo, lose));
    return current;
  }

  /**
   * Describes a statement that was passed on before another one takes its place. Its columns were not asked for when it was prepared; where
   * they have changed since, the server refuses to describe it.
   */
  #describeFirst(name: string, { look, result }: PreparedStatement): void {
    const { server, replies } = this.#options;
    server.write(write.describeStatement(name));
    replies.expect('Describe', result.described(passedOn(look.text)));
  }

  /**
   * Prepares the statement of a portal again, if need be, so that the portal can be bound again. The client may have given the name to
   * another statement since the portal was bound: then it is prepared under a name of the proxy's own.
   * @param rewrite what has to be sent for its text
   * @returns the statement as it is now, and the name that it has
   */
  async prepareForPortal(
    name: string,
    prepared: PreparedStatement,
    rewrite: Rewrite,
  ): Promise<{ readonly current: PreparedStatement; readonly under: string }> {
    // It may also have been prepared again since: what counts is what the server has now.
    const known = this.get(name);
    const had = known?.result === prepared.result ? known : { ...prepared, lost: true };
    const wanted = await this.#replacement(name, had, rewrite);
    const under = had === known ? name : REBOUND;
    return { current: wanted ? this.prepareAgain(under, had, wanted) : had, under };
  }

  #replacement(name: string, prepared: PreparedStatement, rewrite: Rewrite): Promise<Rewrite | undefined> {
    const { statementNames, queries } = this.#options;
    return replacement(name, prepared, rewrite, { prepared: statementNames, queries });
  }
}

/** Whether two rewrites of the same text are the same: the cache gives the same treatments as long as they were decided on the same grounds. */
function isSame(one: Rewrite, other: Rewrite): boolean {
  return one.graphId === other.graphId && one.treatments.every((each, i) => each === other.treatments[i]);
}

/** A rewrite as it would be made now, with the marker of the text that the server has. */
function renewed(before: Rewrite, now: Rewrite, inSql: boolean): Rewrite {
  if (!inSql) return { ...now, marker: before.marker };
  const treatments = now.treatments.map((each) => (each.kind === 'prepare' ? each.executeTreatment : each));
  return { ...before, treatments, graphId: now.graphId };
}
