import type { Family } from '../../profiles/families/family.js';
import { type Profile, postgres, profileOf } from '../../profiles/profile.js';
import type { TextSettings } from '../../sql/lexer/look.js';
import { textSettings, UNKNOWN } from '../../sql/lexer/text-settings.js';
import { readParameterStatus } from '../../wire/backend.js';
import type { Message } from '../../wire/reader.js';

/** What the server last reported of a session. */
export class ServerState {
  readonly #parameters = new Map<string, string>();
  #textSettings = UNKNOWN;
  #encoding = 'unknown';
  #status: number;
  #profile = postgres(0);

  /**
   * @param parameters what the server reported in the login
   * @param status the byte of the first ReadyForQuery
   */
  constructor(parameters: ReadonlyMap<string, string>, status: number) {
    this.#status = status;
    for (const [name, value] of parameters) this.#set(name, value);
  }

  /** The byte of the last ReadyForQuery. */
  get status(): number {
    return this.#status;
  }

  /** What the server can do: as PostgreSQL of its version, until it is known to be another one. */
  get profile(): Profile {
    return this.#profile;
  }

  recognised(family: Family): void {
    this.#profile = profileOf(family, this.#profile.version);
  }

  /**
   * The encoding of what goes over the wire. Where either side has SQL_ASCII nothing is converted, and it is the database's
   * (pg_client_to_server in mbutils.c): its texts are bytes then, whatever the client calls them.
   */
  get encoding(): string {
    return this.#encoding;
  }

  /** How it reads a text. */
  get textSettings(): TextSettings {
    return this.#textSettings;
  }

  parameter(name: string): string | undefined {
    return this.#parameters.get(name);
  }

  noteStatus(readyForQuery: Message): void {
    this.#status = readyForQuery.buffer[readyForQuery.start + 5] ?? 0;
  }

  /** @returns the parameter's name */
  noteParameter(parameterStatus: Message): string {
    const { name, value } = readParameterStatus(parameterStatus);
    this.#set(name, value);
    return name;
  }

  #set(name: string, value: string): void {
    this.#parameters.set(name, value);
    if (name === 'server_version')
      this.#profile = profileOf(this.#profile.family, Number.parseInt(value, 10) || 0);
    if (name === 'client_encoding' || name === 'server_encoding') this.#encoding = this.#wireEncoding();
    if (name === 'standard_conforming_strings' || name.endsWith('_encoding'))
      this.#textSettings = textSettings(this.#encoding, this.parameter('standard_conforming_strings'));
  }

  #wireEncoding(): string {
    const [client, server] = [this.parameter('client_encoding'), this.parameter('server_encoding')];
    const isServers = client?.toUpperCase() === 'SQL_ASCII' || server?.toUpperCase() === 'SQL_ASCII';
    return ((isServers ? server : undefined) ?? client)?.toUpperCase() ?? 'unknown';
  }
}
