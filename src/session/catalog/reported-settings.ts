/**
 * Whether the settings by which the server reads a text are those that it has reported. The server reports settings (ParameterStatus) with
 * ReadyForQuery, and from version 14 on not before: after a SET in the same pipeline, or one that is not answered yet, the last
 * report is out of date. It may be out of date after anything else that is executed, as that may call a function which changes a setting.
 */
import { isAscii } from 'node:buffer';
import { withoutHalves } from '../../sql/encoding/character-lengths.js';
import { type Look, lookAt } from '../../sql/lexer/look.js';
import { groupsOfAllWords, isReadOtherwise } from '../../sql/lexer/own-tokens.js';
import { UNKNOWN } from '../../sql/lexer/text-settings.js';
import type { InternalQueries, Protocol } from '../server/internal-query.js';
import type { Answer } from '../server/question.js';
import type { ServerState } from '../server/server-state.js';
import type { OtherServer } from './other-server.js';
import type { SessionCatalog } from './session-catalog.js';

interface ReportedSettingsOptions {
  readonly state: ServerState;
  readonly catalog: SessionCatalog;
  readonly otherServer: Pick<OtherServer, 'tokens'>;
  readonly queries: InternalQueries;
}

/** A point in what the client has sent, by SessionCatalog's counts: of what may change settings, and of all that was executed. */
type Moment = Pick<SessionCatalog, 'age' | 'executions'>;

interface KnownSettings {
  readonly kind: 'known';
  /** standard_conforming_strings is on: a backslash in a plain string is one. */
  readonly conforming: boolean;
  /** The client's encoding is another one than the server has reported. */
  readonly encodingChanges: boolean;
}

/**
 * The question reads no table, so it waits for no lock, and is asked under the client's own timeouts: to lift them would take longer, and
 * a server that is not PostgreSQL might refuse that.
 */
const QUESTION =
  `SELECT pg_catalog.concat(pg_catalog.current_setting('standard_conforming_strings'), ' ',` +
  ` pg_catalog.current_setting('client_encoding'))`;

export class ReportedSettings {
  readonly #options: ReportedSettingsOptions;
  /** What the server has answered, and when it was asked. */
  #asked: (Moment & { readonly settings: KnownSettings }) | undefined;
  #reported: Moment = { age: 0, executions: 0 };

  constructor(options: ReportedSettingsOptions) {
    this.#options = options;
  }

  /** Whether nothing was sent since the last report that may have set anything. */
  get areCurrent(): boolean {
    return this.#options.catalog.age === this.#reported.age;
  }

  /** The server has answered everything, and reported all settings. */
  report(): void {
    this.#reported = this.#now;
  }

  /**
   * Looks at a client's text as the server is going to read it.
   * @param text without what terminates it
   */
  look(text: Buffer): Look {
    const look = this.#lookAsPostgres(text);
    const { tokens } = this.#options.otherServer;
    if (tokens === undefined || !isReadOtherwise(text, tokens)) return look;
    return { ...look, groups: groupsOfAllWords(text), isReadOtherwise: true };
  }

  #lookAsPostgres(text: Buffer): Look {
    if (!this.areCurrent) return lookAt(text, UNKNOWN);
    const look = this.#lookAsReported(text);
    if (isSame(this.#now, this.#reported)) return look;
    const readsOtherwise = look.hasBackslashes || (!isAscii(text) && text.includes('\\'));
    if (!readsOtherwise) return look;
    // The settings are most likely the reported ones. But if they are not, no DELETE may be overlooked.
    return { ...look, groups: look.groups | lookAt(text, UNKNOWN).groups };
  }

  /**
   * The settings by which the server will read a text. It is asked for them where its report may be out of date and they matter for the text.
   * @returns the settings, or why there is no answer
   */
  async forText(
    { text, hasBackslashes }: Look,
    protocol: Protocol,
  ): Promise<KnownSettings | Exclude<Answer, { kind: 'value' }>> {
    const { queries, state } = this.#options;
    const now = this.#now;
    if (isSame(now, this.#reported) || (isAscii(text) && !hasBackslashes))
      return { kind: 'known', conforming: state.textSettings.strings !== 'off', encodingChanges: false };
    if (this.#asked && isSame(now, this.#asked)) return this.#asked.settings;
    const answer = await queries.ask(QUESTION, protocol);
    if (answer.kind !== 'value') return answer;
    const [strings, encoding = ''] = answer.value.split(' ');
    const settings: KnownSettings = {
      kind: 'known',
      conforming: strings !== 'off',
      encodingChanges: encoding.toUpperCase() !== state.parameter('client_encoding')?.toUpperCase(),
    };
    this.#asked = { ...now, settings };
    return settings;
  }

  get #now(): Moment {
    const { age, executions } = this.#options.catalog;
    return { age, executions };
  }

  #lookAsReported(text: Buffer): Look {
    const { encoding, textSettings } = this.#options.state;
    const masked = textSettings.hasHalves && !isAscii(text) ? withoutHalves(text, encoding) : undefined;
    if (masked === undefined) return lookAt(text, textSettings);
    return { ...lookAt(masked, { ...textSettings, hasHalves: false }), text };
  }
}

function isSame(one: Moment, other: Moment): boolean {
  return one.age === other.age && one.executions === other.executions;
}
