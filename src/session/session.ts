/**
 * One client that is logged in, and its one upstream connection. Relays both ways, byte for byte, except where a handler of the client's
 * messages or of the server's answers has something else sent; reads no faster than the other side takes.
 */
import type { Duplex } from 'node:stream';
import type { LoggedIn } from '../auth/login.js';
import { ProxyError } from '../errors.js';
import { Backend } from '../wire/types.js';
import { SessionParts } from './assembly.js';
import { ConnectionOver } from './client/connection-over.js';
import { awaitLastAnswers } from './last-answers.js';
import { bothClosed, LAST_UNIT, leaveAtWork } from './leaving.js';
import type { MemoryUser } from './message-memory.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { Presence } from './presence.js';
import { farewellFor, sayFarewell } from './server/farewell.js';
import type { Activity } from './server-messages.js';

export class Session implements MemoryUser {
  /** Fulfilled when both connections are closed. */
  readonly closed: Promise<void>;
  readonly #cancel: SessionPeers['cancel'];
  readonly #settings: SessionSettings;
  readonly #client: Duplex;
  readonly #connection: SessionPeers['connection'];
  readonly #server: Duplex;
  readonly #parts: SessionParts;
  /** Made when it is first needed: most sessions never do. */
  #presence: Presence | undefined;
  /** The client sends no more: it has closed its side, is gone, or has sent bytes that are no message. */
  #hasSaidAll = false;
  #busy = false;
  #clientLost = false;
  #cancels = 0;
  #ended = false;

  constructor(peers: SessionPeers, loggedIn: LoggedIn, settings: SessionSettings) {
    [this.#client, this.#connection, this.#cancel] = [peers.client, peers.connection, peers.cancel];
    this.#settings = settings;
    this.#server = loggedIn.server;
    this.#parts = new SessionParts(peers, loggedIn, settings);
    this.closed = bothClosed(this.#client, this.#server);
    this.#listen();
    this.#begin(loggedIn);
  }

  /** What the client is doing. Only while it is active may a cancel request reach the server. */
  get activity(): Activity {
    return this.#parts.backend.activity;
  }

  /** Takes no further message of the client's while a cancel request is on its way, which must not hit the next one. */
  async holdDuring(cancel: Promise<void>): Promise<void> {
    this.#cancels++;
    this.#parts.stops.cancels++;
    try {
      await cancel;
    } finally {
      this.#cancels--;
      this.#pump();
    }
  }

  /** Ends the session as soon as no transaction is open. */
  drain(): void {
    this.#parts.stops.isDraining = true;
    this.#endIfDrained();
  }

  /** Ends the session at once, telling the client why. */
  end(error: ProxyError): void {
    if (!this.#ended) this.#parts.events.ended(error);
    // Half of a server's message was forwarded: an error cannot be put into it.
    this.#end(this.#parts.backend.midway ? undefined : error);
  }

  #end(error?: ProxyError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#presence?.stop();
    this.#settings.memory.note(this, 0);
    const isAtWork = !this.#parts.replies.answered && !this.#server.readableEnded;
    this.#parts.client.flush();
    this.#parts.client.close();
    this.#parts.server.close();
    if (isAtWork) leaveAtWork(this.#server, this.#cancel);
    else this.#server.destroy();
    sayFarewell(this.#client, error);
    // Every handler that waits for an answer is told that none will come; what it then sends goes nowhere.
    this.#parts.replies.end();
    this.#parts.frontend.end();
  }

  #listen(): void {
    const [client, server] = [this.#client, this.#server];
    client.on('data', (chunk: Buffer) => this.#endIfBroken(() => this.#fromClientCame(chunk)));
    server.on('data', (chunk: Buffer) => this.#endIfBroken(() => this.#fromServerCame(chunk)));
    client.on('drain', () => server.resume());
    server.on('drain', () => this.#pump());
    client.on('end', () => this.#clientSaidAll());
    server.on('end', () => this.#serverEnded());
    client.on('close', () => this.#clientGone());
    server.on('close', () => this.#serverEnded());
  }

  /** Takes what both sides have sent after the login. Either may have ended its connection meanwhile. */
  #begin({ fromClient, fromServer }: LoggedIn): void {
    const [client, server] = [this.#client, this.#server];
    if (fromServer.length > 0) this.#endIfBroken(() => this.#fromServerCame(fromServer));
    if (!client.writableNeedDrain) server.resume();
    if (fromClient.length > 0) this.#parts.fromClient.push(fromClient);
    if (client.closed) this.#clientGone();
    else if (client.readableEnded) this.#clientSaidAll();
    else this.#pump();
    if (server.readableEnded || server.closed) this.#serverEnded();
  }

  #fromClientCame(chunk: Buffer): void {
    if (this.#ended) return;
    this.#parts.fromClient.push(chunk);
    this.#pump();
  }

  /** Takes the client's messages one after the other, until one has to wait for the server. */
  #pump(): void {
    if (this.#ended) return;
    if (this.#mayTake) this.#endIfBroken(() => this.#takeMessages());
    else this.#parts.server.flushSoon();
    if (this.#ended) return;
    if (this.#lastUnitTaken) this.#server.end();
    // While a message waits, what the client sends is read, within bounds, and kept: only so is the client's end seen.
    if (this.#parts.fromClient.isFull) this.#client.pause();
    else this.#client.resume();
    if (!this.#hasSaidAll) this.#watchWhile(this.#parts.fromClient.isFull);
    this.#settings.memory.note(this, this.#parts.fromClient.buffered + this.#server.writableLength);
  }

  get #mayTake(): boolean {
    if (this.#busy || this.#cancels > 0 || this.#parts.replies.isFull) return false;
    return !this.#server.writableNeedDrain && !this.#lastUnitTaken;
  }

  get #lastUnitTaken(): boolean {
    return this.#clientLost && !this.#busy && this.#parts.frontend.betweenUnits;
  }

  #takeMessages(): void {
    while (this.#mayTake) {
      const message = this.#parts.fromClient.next();
      if (message === undefined) break;
      const waiting = this.#parts.frontend.take(message);
      if (waiting === undefined) continue;
      this.#busy = true;
      waiting.then(
        () => {
          this.#busy = false;
          this.#pump();
        },
        (error) => this.#broken(error),
      );
    }
    if (this.#busy) this.#parts.server.flushSoon();
    else this.#parts.server.flush();
    if (this.#parts.fromClient.isOver) this.#awaitLastAnswers();
    if (this.#hasSaidAll && this.#mayTake) this.#server.end();
  }

  #fromServerCame(chunk: Buffer): void {
    if (this.#ended) return;
    const isStuck = this.#parts.replies.isFull;
    this.#parts.backend.push(chunk);
    for (let type = this.#parts.backend.takeNext(); type !== undefined; type = this.#parts.backend.takeNext())
      if (type === Backend.ReadyForQuery) this.#parts.frontend.answered(this.isIdle);
    if (!this.#parts.client.flush()) this.#server.pause();
    if (isStuck) this.#pump();
    if (this.#parts.stops.isDraining) this.#endIfDrained();
  }

  /** Whether the client's messages are all answered, none of them is being taken, and no transaction is open. */
  get isIdle(): boolean {
    return this.#parts.backend.isIdle && this.#parts.frontend.betweenUnits && !this.#busy;
  }

  #endIfDrained(): void {
    if (this.isIdle) this.end(new ProxyError('PGC_SHUTDOWN'));
  }

  /** The client has closed its side. Either it waits for its answers, or it is gone, and the server must not go on working for it. */
  #clientSaidAll(): void {
    this.#awaitLastAnswers();
    this.#watchWhile(false);
    this.#pump();
    this.#watchWhile(!this.#saidGoodbye);
  }

  #awaitLastAnswers(): void {
    if (this.#hasSaidAll) return;
    this.#hasSaidAll = true;
    const owes = () => this.#busy || !this.#server.writableEnded || !this.#parts.replies.answered;
    const isLeft = () => this.#saidGoodbye;
    awaitLastAnswers(this.#server, owes, isLeft, () => this.#end());
  }

  /** Has Presence find out, from now on or no longer, whether the client is still there. */
  #watchWhile(isWatched: boolean): void {
    if (!isWatched) return void this.#presence?.stop();
    this.#presence ??= new Presence(
      this.#client,
      this.#connection,
      this.#parts.client,
      this.#parts.state,
      () => this.activity === 'active' || this.#busy,
      () => !this.#parts.backend.midway,
    );
    this.#presence.watch();
  }

  get #saidGoodbye(): boolean {
    return this.#parts.frontend.terminated || this.#parts.fromClient.saysGoodbye;
  }

  /**
   * The client is gone. The messages that the session has taken already are carried out, up to their Sync: PostgreSQL, too, goes on until it
   * cannot send an answer. Where the client has sent Terminate, everything before that is carried out, as PostgreSQL reads up to it.
   */
  #clientGone(): void {
    if (this.#ended) return;
    if (!this.#saidGoodbye) {
      this.#clientLost = true;
      setTimeout(() => this.#end(), this.#busy ? LAST_UNIT : 0).unref();
    }
    this.#awaitLastAnswers();
    this.#watchWhile(false);
    this.#parts.client.close();
    this.#server.resume();
    this.#pump();
  }

  #serverEnded(): void {
    const isTold = this.#parts.backend.hasSaidWhy || this.#parts.backend.midway || this.#client.writableEnded;
    if (isTold || this.#parts.frontend.terminated || this.#hasSaidAll) this.#end();
    else this.end(new ProxyError('PGC_UPSTREAM_LOST', { upstream: this.#settings.upstreamName }));
  }

  /** What goes wrong in a session, as bytes that are no message, ends that session, and nothing else. */
  #endIfBroken(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    if (error instanceof ConnectionOver) this.#end();
    else this.end(farewellFor(error, this.#parts.events));
  }
}
