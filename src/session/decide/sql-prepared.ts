/** The prepared statements of a session by the names that SQL gives them: PREPARE, EXECUTE, DEALLOCATE, DISCARD ALL. */

import type { Treatment } from '../../rewrite/statement/treatment.js';
import { type Rewrite, unchanged } from '../../rewrite/text.js';
import { bytesOf } from '../../sql/encoding/raw-bytes.js';
import { originOf } from '../answers/positions.js';
import { ResultColumns } from '../answers/result-columns.js';
import type { ReportedSettings } from '../catalog/reported-settings.js';
import { encodingOf } from '../server/encoding.js';
import type { ServerState } from '../server/server-state.js';
import { type ClientNames, nameInText } from './names.js';
import { type PreparedStatement, UNWATCHED } from './prepared-statement.js';

/** What the names stood for when a statement that drops some was sent. */
export type NamesBefore = readonly (readonly [string, PreparedStatement])[];

export class SqlPrepared {
  readonly #prepared: ClientNames<PreparedStatement>;
  readonly #state: ServerState;
  readonly #settings: ReportedSettings;

  constructor(prepared: ClientNames<PreparedStatement>, state: ServerState, settings: ReportedSettings) {
    this.#prepared = prepared;
    this.#state = state;
    this.#settings = settings;
  }

  /** The prepared statement of a name in an SQL text. */
  named(name: string): PreparedStatement | undefined {
    return this.#prepared.get(nameInText(name, encodingOf(this.#state)));
  }

  /** To be read when a text is sent: a DEALLOCATE in it drops no statement that is prepared later, before the DEALLOCATE is answered. */
  known({ treatments }: Rewrite): NamesBefore {
    return treatments.some(({ kind }) => kind === 'release') ? this.#prepared.snapshot() : [];
  }

  /** The server has executed a statement that concerns prepared ones. */
  completed(treatment: Treatment, known: NamesBefore, sent: Rewrite, offset = 0): void {
    if (treatment.kind === 'prepare' && !treatment.again?.isTrial) {
      const { text, sql, copied, executeTreatment, targets } = treatment;
      const changed = sql !== text;
      const rewrite: Rewrite = {
        ...unchanged(text, []),
        sql,
        marker: sent.marker,
        targets,
        treatments: [executeTreatment],
        copied,
        origin: originOf(treatment, sent, offset),
        changed,
      };
      const encoding = encodingOf(this.#state);
      const look = this.#settings.look(bytesOf(text));
      const made = { ...UNWATCHED, look, encoding, rewrite, result: new ResultColumns(), inSql: true };
      this.#prepared.set(nameInText(treatment.name, encoding), made);
    }
    if (treatment.kind === 'release') this.#release(treatment.name, known);
  }

  /** @param name undefined for all */
  #release(name: string | undefined, known: NamesBefore): void {
    // A PREPARE is entered when it is answered: those that are entered by now came before the DEALLOCATE.
    const before = [...known, ...this.#prepared.snapshot().filter(([, entry]) => entry.inSql)];
    // DEALLOCATE ALL and DISCARD ALL keep the unnamed statement.
    const meant =
      name === undefined
        ? before.map(([each]) => each).filter((each) => each !== '')
        : [nameInText(name, encodingOf(this.#state))];
    for (const each of meant)
      if (before.some(([, entry]) => entry === this.#prepared.get(each))) this.#prepared.set(each, undefined);
  }
}
