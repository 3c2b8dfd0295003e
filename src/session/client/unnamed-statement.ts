/**
 * The unnamed statement. Drivers send its Parse before each execution of a series, always the same, and the server plans an
 * expanded statement for longer than it executes it: a Parse of the text that it has already is not sent.
 */

import { planOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import { write } from '../../wire/frontend.js';
import { unsentParseReplies } from '../answers/results.js';
import type { Decider } from '../decide/decider.js';
import type { PreparedStatement } from '../decide/prepared-statement.js';
import type { ServerSide } from './forwarding.js';
import type { PreparedStatements } from './prepared-statements.js';

interface UnnamedStatementOptions extends ServerSide {
  readonly decider: Decider;
  readonly prepared: PreparedStatements;
}

export class UnnamedStatement {
  readonly #options: UnnamedStatementOptions;
  #sent: { readonly prepared: PreparedStatement; readonly disturbances: number } | undefined;

  constructor(options: UnnamedStatementOptions) {
    this.#options = options;
  }

  /** A Parse of it was sent. @param disturbances as UnitOfWork.disturbances */
  sent(prepared: PreparedStatement, disturbances: number): void {
    this.#sent = { prepared, disturbances };
  }

  /**
   * Sends a Describe in place of a Parse that would make the statement that the server has: one in the same transaction, whose locks keep
   * other sessions from changing its tables, and after nothing that may change what a name means. Before the server describes
   * the statement, it finds the errors in it that it would find in the text.
   * @param rewrite what has to be sent for the text now
   * @returns whether it has done so
   */
  describeInstead(
    { look, encoding, types }: Pick<PreparedStatement, 'look' | 'encoding' | 'types'>,
    rewrite: Rewrite,
    disturbances: number,
  ): boolean {
    const { prepared, replies, decider, server } = this.#options;
    const known = this.#sent?.disturbances === disturbances ? this.#sent.prepared : undefined;
    if (
      known?.rewrite === undefined ||
      known !== prepared.get('') ||
      planOf(rewrite.treatments) === undefined
    )
      return false;
    const isSame =
      known.rewrite.sql === rewrite.sql && known.look.text.equals(look.text) && known.encoding === encoding;
    if (!isSame || known.types.join() !== types.join()) return false;
    server.write(write.describeStatement(''));
    replies.expect('Describe', unsentParseReplies(decider.translation(known.rewrite)));
    return true;
  }
}
