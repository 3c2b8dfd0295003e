import { Duplex } from 'node:stream';
import { NO_ENCRYPTION } from '../../wire/backend.js';
import { write } from '../../wire/frontend.js';
import { MessageReader, ProtocolViolation } from '../../wire/reader.js';
import { readStartupPacket } from '../../wire/startup.js';
import { Backend, FRONTEND_TYPES, Frontend, longestFrontend } from '../../wire/types.js';
import { SYNC } from './bytes.js';
import { EmbeddedCopy, mayCopyIn, runWithoutData } from './copy.js';
import { Fatal } from './fatal.js';
import { dropsStatements, type Reply } from './reply.js';
import { Settings } from './settings.js';
import type { Client, SharedSession } from './shared-session.js';
import { readRequest, startupReply, unsupportedProtocol } from './startup.js';
import { Statements } from './statements.js';

const LONGEST_MESSAGE = 256 * 1024 * 1024;
const KNOWN: ReadonlySet<number> = new Set([...FRONTEND_TYPES].filter((type) => type !== Frontend.Password));

/**
 * The server's end of one client's connection. The connection takes its turn in the shared session with the first message
 * and keeps the turn until a ReadyForQuery outside a transaction. A client that stops within a pipeline or a transaction
 * holds up the other clients. A program that waits on one connection for something that it does on another waits for ever.
 */
export class EmbeddedConnection extends Duplex implements Client {
  readonly settings = new Settings();
  listening = false;
  readonly #session: SharedSession;
  readonly #statements = new Statements();
  readonly #reader = new MessageReader(KNOWN, () => false, LONGEST_MESSAGE, longestFrontend);
  /** Bytes of the startup packet; undefined once it is answered. */
  #startup: Buffer | undefined = Buffer.alloc(0);
  #copy: EmbeddedCopy | undefined;
  #hasTurn = false;
  /** Within a pipeline: a Sync is to come. */
  #pipeline = false;
  #over = false;
  #working: Promise<void> = Promise.resolve();
  /** Set while the client does not read what was sent to it. */
  #resume: (() => void) | undefined;

  constructor(session: SharedSession) {
    super();
    this.#session = session;
    session.clients.add(this);
  }

  /** Ends the connection. In its next turn, what the client left in the shared session is rolled back and closed. */
  terminate(last?: Buffer): void {
    if (this.#over) return;
    this.#over = true;
    if (last) this.push(last);
    this.push(null);
    this.#resume?.();
    void this.#working.then(() => this.#leave());
  }

  notify(notification: Buffer): void {
    if (!this.#over) this.push(notification);
  }

  override _read(): void {
    this.#resume?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#working = this.#consume(chunk).then(done);
  }

  override _final(done: () => void): void {
    this.terminate();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.terminate();
    done(error);
  }

  /** Never rejects: whatever goes wrong ends the connection. */
  async #consume(chunk: Buffer): Promise<void> {
    try {
      const rest = await this.#start(chunk);
      if (!rest) return;
      this.#reader.push(rest);
      for (let it = this.#reader.next(); it && !this.#over; it = this.#reader.next())
        await this.#handle(it.buffer.subarray(it.start, it.end));
    } catch (error) {
      const sqlstate = error instanceof ProtocolViolation ? '08P01' : 'XX000';
      const fatal = error instanceof Fatal ? error : Fatal.of(sqlstate, String(error));
      this.terminate(fatal.response);
    }
  }

  /** Answers the startup packets. @returns the bytes after them, once the client is logged in */
  async #start(chunk: Buffer): Promise<Buffer | undefined> {
    if (!this.#startup) return chunk;
    let bytes = Buffer.concat([this.#startup, chunk]);
    for (;;) {
      const found = readStartupPacket(bytes);
      if (!found) {
        this.#startup = bytes;
        return undefined;
      }
      bytes = bytes.subarray(found.size);
      const { packet } = found;
      switch (packet.kind) {
        case 'ssl':
        case 'gssenc':
          this.push(NO_ENCRYPTION);
          break;
        case 'none':
        case 'cancel':
          this.terminate(); // a statement cannot be interrupted
          return undefined;
        case 'foreign':
          throw unsupportedProtocol(packet.raw.readUInt32BE(4));
        case 'startup': {
          this.#startup = undefined;
          const request = readRequest(packet.raw, packet.parameters);
          this.settings.start(request.settings);
          await this.#takeTurn();
          if (this.#over) return undefined;
          const reply = startupReply(request, this.#session.processId, await this.#session.parameters());
          this.#yieldTurn();
          await this.#send(reply);
          return bytes;
        }
        default:
          packet satisfies never;
      }
    }
  }

  async #handle(message: Buffer): Promise<void> {
    const type = message[0] ?? 0;
    if (type === Frontend.Terminate) return this.terminate();
    if (this.#copy) return this.#copyIn(this.#copy, type, message);
    // A Flush has nothing to bring, as no answer is held back. Copy messages outside a COPY follow a COPY that failed.
    if (
      type === Frontend.Flush ||
      type === Frontend.CopyData ||
      type === Frontend.CopyDone ||
      type === Frontend.CopyFail
    )
      return;

    await this.#takeTurn();
    if (this.#over) return;
    if (type === Frontend.Query && !this.#pipeline && mayCopyIn(message)) {
      const { answer, copy } = await EmbeddedCopy.begin(message, this.#session);
      this.#copy = copy;
      return this.#answer(answer);
    }
    const reply = await this.#run(type, message);
    this.#pipeline = !reply.types.has(Backend.ReadyForQuery);
    if (reply.tags.includes('LISTEN')) this.listening = true;
    if (dropsStatements(reply)) this.#statements.forgetNamed();
    await this.#answer(reply.bytes);
  }

  #run(type: number, message: Buffer): Promise<Reply> {
    switch (type) {
      case Frontend.Query:
        this.settings.note(message);
        this.#statements.forgetUnnamed();
        return runWithoutData(message, this.#session);
      case Frontend.Parse:
        this.settings.note(message);
        return this.#statements.parse(message, this.#session);
      case Frontend.Bind:
      case Frontend.Describe:
      case Frontend.Close:
        return this.#statements.use(message, this.#session);
      case Frontend.Execute:
        return runWithoutData(message, this.#session);
      default:
        return this.#session.run(message);
    }
  }

  async #copyIn(copy: EmbeddedCopy, type: number, message: Buffer): Promise<void> {
    switch (type) {
      case Frontend.CopyData:
        return copy.add(message);
      case Frontend.Flush:
      case Frontend.Sync:
        return; // ignored by the server, too
      case Frontend.CopyDone:
      case Frontend.CopyFail:
        this.#copy = undefined;
        return this.#answer(await copy.finish(message, this.#session));
      default:
        throw new ProtocolViolation(
          `unexpected message type "${String.fromCharCode(type)}" during COPY from stdin`,
        );
    }
  }

  /** Gives up the turn where no transaction is open, then sends an answer: a client that reads slowly does not hold up others. */
  #answer(bytes: Buffer): Promise<void> {
    if (!this.#pipeline && !this.#copy && this.#session.status === 'I') this.#yieldTurn();
    return this.#send(bytes);
  }

  async #send(bytes: Buffer): Promise<void> {
    if (this.#over || bytes.length === 0 || this.push(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    this.#resume = undefined;
  }

  async #takeTurn(): Promise<void> {
    if (this.#hasTurn) return;
    await this.#session.turns.acquire();
    this.#hasTurn = true;
    if (!this.#over) await this.#session.switchTo(this);
  }

  #yieldTurn(): void {
    if (this.#hasTurn) this.#session.turns.release();
    this.#hasTurn = false;
  }

  /** Removes what the client left in the shared session. Runs when no message is being worked on. */
  async #leave(): Promise<void> {
    const session = this.#session;
    try {
      if (!this.#hasTurn) await session.turns.acquire();
      this.#hasTurn = true;
      // A Sync alone would commit what the pipeline did so far; a Sync after an error does not.
      if (this.#pipeline)
        await session.run(Buffer.concat([write.execute('pgcascade: no such portal'), SYNC]));
      if (session.status !== 'I') await session.run(write.query('ROLLBACK'));
      await this.#statements.close(session);
      await session.leave(this);
    } catch {
      // The engine has stopped: nothing is left that could be removed.
      session.clients.delete(this);
    } finally {
      this.#yieldTurn();
    }
  }
}
