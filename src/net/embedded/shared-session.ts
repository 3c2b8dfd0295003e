import { readFileSync } from 'node:fs';
import { readParameterStatus } from '../../wire/backend.js';
import { write } from '../../wire/frontend.js';
import { Backend, Frontend } from '../../wire/types.js';
import { Engine } from './engine/engine.js';
import { Fatal } from './fatal.js';
import { dropsStatements, messages, type Reply, readReply } from './reply.js';
import type { Settings } from './settings.js';
import { startupPacket } from './startup.js';
import { TurnQueue } from './turn-queue.js';

/** What the shared session needs to know of a client. */
export interface Client {
  readonly settings: Settings;
  /** Whether the client has run LISTEN. */
  readonly listening: boolean;
  notify(notification: Buffer): void;
  terminate(last: Buffer): void;
}

/**
 * The one database session that all clients share, turn by turn (see TurnQueue), and what it holds at the moment.
 *
 * Some state belongs to the session, so all clients share it: temporary tables, advisory locks, cursors WITH HOLD,
 * statements prepared by SQL's PREPARE, and channels. A notification goes to every client that ran LISTEN, and an UNLISTEN
 * or DISCARD ALL of one client ends LISTEN for all. When the last client leaves, the session runs DISCARD ALL.
 */
export class SharedSession {
  readonly turns = new TurnQueue();
  readonly clients = new Set<Client>();
  /** The statements that a Parse has made: the server's name of each, and that Parse. */
  readonly prepared = new Map<string, Buffer>();
  /** The names of the settings that are reported to clients. */
  readonly #reported: string[] = [];
  readonly #engine: Engine;
  /** Whose settings are in effect. */
  #current: Client | undefined;
  #processId = 0;
  #status = 'I';
  #ended = false;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Starts an empty database with the sample schema. */
  static async open(): Promise<SharedSession> {
    let onStop = () => {};
    const engine = await Engine.start(() => onStop());
    const session = new SharedSession(engine);
    onStop = () =>
      session.#end(
        '57P02',
        'the embedded database crashed; connect again for a new one with the sample data',
      );
    // PGlite starts to report settings when it is given a startup packet, and only then says which.
    for (const message of messages(await engine.run(startupPacket({ user: 'postgres' }))))
      if (message.type === Backend.ParameterStatus) session.#reported.push(readParameterStatus(message).name);
    const [pid] = await session.rows('SELECT pg_backend_pid()');
    session.#processId = Number(pid?.[0]);
    // PGlite crashes when it converts between encodings. Without a default conversion PostgreSQL itself refuses others.
    await session.rows('UPDATE pg_catalog.pg_conversion SET condefault = false');
    await session.rows(readFileSync(new URL('./sample.sql', import.meta.url), 'utf8'));
    return session;
  }

  /** What pg_backend_pid() says, to every client. */
  get processId(): number {
    return this.#processId;
  }

  /** The transaction status: I, T or E. */
  get status(): string {
    return this.#status;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Runs whole messages of the client whose turn it is.
   * @throws EngineStopped
   */
  run(messages: Buffer): Promise<Reply> {
    return this.#ask(messages, false);
  }

  /**
   * Runs SQL of the proxy's own.
   * @returns the rows, as text
   * @throws Fatal with the server's error; EngineStopped
   */
  async rows(sql: string): Promise<Reply['rows']> {
    const reply = await this.#ask(write.query(sql), true);
    if (reply.error) throw Fatal.raise(reply.error);
    return reply.rows;
  }

  /** Name and value of each parameter that is reported to a client at its login, under that client's settings. */
  parameters(): Promise<Reply['rows']> {
    const names = this.#reported.map((name) => `'${name}'`).join(', ');
    // PGlite runs in single-user mode, where session_authorization is empty; clients expect a name.
    return this.rows(
      `SELECT name, CASE name WHEN 'session_authorization' THEN session_user ELSE current_setting(name) END
       FROM unnest(ARRAY[${names}]) AS r (name)`,
    );
  }

  /** Puts a client's settings into effect. @throws Fatal, EngineStopped */
  async switchTo(client: Client): Promise<void> {
    if (this.#current === client) return;
    const last = this.#current;
    this.#current = undefined;
    // A client whose settings are lost, its role for example, must not go on without them.
    await last?.settings.save(this).catch((error: unknown) => {
      last.terminate(Fatal.of('XX000', `cannot keep this session's settings: ${error}`).response);
    });
    await client.settings.restore(this);
    this.#current = client;
  }

  /** Forgets a client. Call it in that client's turn, when none of its statements is running. @throws EngineStopped */
  async leave(client: Client): Promise<void> {
    this.clients.delete(client);
    if (this.#current === client) this.#current = undefined;
    if (this.clients.size === 0) await this.rows('DISCARD ALL');
  }

  /** Ends the engine and with it all sessions. */
  async close(): Promise<void> {
    this.#end('57P01', 'terminating connection: the embedded database is shutting down');
    await this.#engine.stop();
  }

  #end(sqlstate: string, message: string): void {
    this.#ended = true;
    const last = Fatal.of(sqlstate, message).response;
    for (const client of this.clients) client.terminate(last);
  }

  async #ask(question: Buffer, keepRows: boolean): Promise<Reply> {
    // A simple query drops the unnamed statement, also that of another client.
    if (question[0] === Frontend.Query) this.prepared.delete('');
    const reply = readReply(await this.#engine.run(question), keepRows);
    this.#status = reply.status ?? this.#status;
    if (dropsStatements(reply)) this.prepared.clear();
    for (const notification of reply.notifications)
      for (const client of this.clients) if (client.listening) client.notify(notification);
    return reply;
  }
}
