/**
 * One client that is logged in, and its one upstream connection. Relays both ways, byte for byte, except where an expected
 * reply says otherwise; reads no faster than the other side takes.
 */
import type { Duplex } from 'node:stream';
import type { LoggedIn } from '../auth/login.js';
import { ProxyError } from '../errors.js';
import { Backend } from '../wire/types.js';
import { assembleSession } from './assembly.js';
import type { ClientMessages } from './client/client-messages.js';
import { ConnectionOver } from './client/connection-over.js';
import type { Dispatch } from './dispatch.js';
import { LastAnswers } from './last-answers.js';
import { closedOf, LAST_UNIT, leaveAtWork } from './leaving.js';
import type { MemoryUser } from './message-memory.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { Presence } from './presence.js';
import { farewellFor, sayFarewell } from './server/farewell.js';
import type { Output } from './server/output.js';
import type { OutstandingReplies } from './server/outstanding-replies.js';
import type { Activity, ServerMessages } from './server-messages.js';

export class Session implements MemoryUser {
  /** Fulfilled when both connections are closed. */
  readonly closed: Promise<void>;
  readonly #peers: SessionPeers;
  readonly #settings: SessionSettings;
  readonly #client: Duplex;
  readonly #server: Duplex;
  readonly #toClient: Output;
  readonly #toServer: Output;
  readonly #replies: OutstandingReplies;
  readonly #fromClient: ClientMessages;
  readonly #frontend: Dispatch;
  readonly #backend: ServerMessages;
  readonly #presence: Presence;
  readonly #lastAnswers: LastAnswers;
  #busy = false;
  #clientLost = false;
  #draining = false;
  #cancels = 0;
  #ended = false;

  constructor(peers: SessionPeers, loggedIn: LoggedIn, settings: SessionSettings) {
    this.#peers = peers;
    this.#settings = settings;
    this.#client = peers.client;
    this.#server = loggedIn.server;
    const parts = assembleSession(peers, loggedIn, settings);
    this.#toClient = parts.toClient;
    this.#toServer = parts.toServer;
    this.#replies = parts.replies;
    this.#fromClient = parts.fromClient;
    this.#frontend = parts.frontend;
    this.#backend = parts.backend;
    const isAwaited = () => this.activity === 'active' || this.#busy;
    const mayBeTold = () => !this.#backend.midway;
    this.#presence = new Presence(this.#client, this.#toClient, parts.state, isAwaited, mayBeTold);
    const owes = () => this.#busy || !this.#server.writableEnded || !this.#replies.answered;
    const isLeft = () => this.#saidGoodbye;
    this.#lastAnswers = new LastAnswers(this.#server, owes, isLeft, () => this.#end());
    this.closed = Promise.all([this.#client, this.#server].map(closedOf)).then(() => undefined);
    this.#listen();
    this.#begin(loggedIn);
  }

  /** What the client is doing. Only while it is active may a cancel request reach the server. */
  get activity(): Activity {
    return this.#backend.activity;
  }

  /** Takes no further message of the client's while a cancel request is on its way, which must not hit the next one. */
  async holdDuring(cancel: Promise<void>): Promise<void> {
    this.#cancels++;
    try {
      await cancel;
    } finally {
      this.#cancels--;
      this.#pump();
    }
  }

  /** Ends the session as soon as no transaction is open. */
  drain(): void {
    this.#draining = true;
    this.#endIfDrained();
  }

  /** Ends the session at once, telling the client why. */
  end(error: ProxyError): void {
    if (!this.#ended) this.#peers.events.ended(error);
    // Inside of a message nothing can be said.
    this.#end(this.#backend.midway ? undefined : error);
  }

  outOfMemory(): void {
    this.end(new ProxyError('PGC_MEMORY'));
  }

  #end(error?: ProxyError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#presence.stop();
    this.#settings.memory.note(this, 0);
    const isAtWork = !this.#replies.answered && !this.#server.readableEnded;
    this.#toClient.flush();
    this.#toClient.close();
    this.#toServer.close();
    if (isAtWork) leaveAtWork(this.#server, this.#peers.cancel);
    else this.#server.destroy();
    sayFarewell(this.#client, error);
    // Whoever waits for an answer must not wait for ever; what is sent because of it goes nowhere.
    this.#replies.end();
    this.#frontend.end();
  }

  #listen(): void {
    const [client, server] = [this.#client, this.#server];
    client.on('data', (chunk: Buffer) => this.#guard(() => this.#fromClientCame(chunk)));
    server.on('data', (chunk: Buffer) => this.#guard(() => this.#fromServerCame(chunk)));
    client.on('drain', () => server.resume());
    server.on('drain', () => this.#pump());
    client.on('end', () => this.#clientSaidAll());
    server.on('end', () => this.#serverEnded());
    client.once('close', () => this.#clientGone());
    server.once('close', () => this.#serverEnded());
  }

  /** Takes what both sides sent behind the login. Either may have ended its connection meanwhile. */
  #begin({ fromClient, fromServer }: LoggedIn): void {
    const [client, server] = [this.#client, this.#server];
    if (fromServer.length > 0) this.#guard(() => this.#fromServerCame(fromServer));
    if (!client.writableNeedDrain) server.resume();
    if (fromClient.length > 0) this.#fromClient.push(fromClient);
    if (client.closed) this.#clientGone();
    else if (client.readableEnded) this.#clientSaidAll();
    else this.#pump();
    if (server.readableEnded || server.closed) this.#serverEnded();
  }

  #fromClientCame(chunk: Buffer): void {
    if (this.#ended) return;
    this.#fromClient.push(chunk);
    this.#pump();
  }

  /** Takes the client's messages one after the other, until one has to wait for the server. */
  #pump(): void {
    if (this.#ended) return;
    if (this.#mayTake) this.#guard(() => this.#takeMessages());
    else this.#toServer.flushSoon();
    if (this.#ended) return;
    if (this.#lastUnitTaken) this.#server.end();
    // What comes meanwhile is read, within bounds, and kept: so the end of the client is seen.
    if (this.#fromClient.isFull) this.#client.pause();
    else this.#client.resume();
    if (!this.#lastAnswers.isAwaited) this.#presence.watchWhile(this.#fromClient.isFull);
    this.#settings.memory.note(this, this.#fromClient.buffered + this.#server.writableLength);
  }

  get #mayTake(): boolean {
    if (this.#busy || this.#cancels > 0 || this.#replies.isFull) return false;
    return !this.#server.writableNeedDrain && !this.#lastUnitTaken;
  }

  get #lastUnitTaken(): boolean {
    return this.#clientLost && !this.#busy && this.#frontend.betweenUnits;
  }

  #takeMessages(): void {
    while (this.#mayTake) {
      const message = this.#fromClient.next();
      if (message === undefined) break;
      const waiting = this.#frontend.take(message);
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
    if (this.#busy) this.#toServer.flushSoon();
    else this.#toServer.flush();
    if (this.#fromClient.isOver) this.#lastAnswers.await();
    if (this.#lastAnswers.isAwaited && this.#mayTake) this.#server.end();
  }

  #fromServerCame(chunk: Buffer): void {
    if (this.#ended) return;
    const isStuck = this.#replies.isFull;
    this.#backend.push(chunk);
    for (let type = this.#backend.takeNext(); type !== undefined; type = this.#backend.takeNext())
      if (type === Backend.ReadyForQuery) this.#frontend.answered(this.isIdle);
    if (!this.#toClient.flush()) this.#server.pause();
    if (isStuck) this.#pump();
    if (this.#draining) this.#endIfDrained();
  }

  /** Whether nothing of the client's is under way, and no transaction is open. */
  get isIdle(): boolean {
    return this.#backend.isIdle && this.#frontend.betweenUnits && !this.#busy;
  }

  #endIfDrained(): void {
    if (this.isIdle) this.end(new ProxyError('PGC_SHUTDOWN'));
  }

  /** The client sends no more. Either it waits for its answers, or it is gone, and the server must not go on working for nobody. */
  #clientSaidAll(): void {
    this.#lastAnswers.await();
    this.#presence.stop();
    this.#pump();
    if (!this.#saidGoodbye) this.#presence.watch();
  }

  get #saidGoodbye(): boolean {
    return this.#frontend.terminated || this.#fromClient.saysGoodbye;
  }

  /**
   * Of a client that is gone, only the messages that the session has taken already are carried out, up to their Sync: PostgreSQL, too,
   * goes on until it cannot send an answer. A client that has sent Terminate wants all that it sent before carried out: PostgreSQL
   * reads up to the Terminate.
   */
  #clientGone(): void {
    if (this.#ended) return;
    if (!this.#saidGoodbye) {
      this.#clientLost = true;
      setTimeout(() => this.#end(), this.#busy ? LAST_UNIT : 0).unref();
    }
    this.#lastAnswers.await();
    this.#presence.stop();
    this.#toClient.close();
    this.#server.resume();
    this.#pump();
  }

  #serverEnded(): void {
    const isTold = this.#backend.hasSaidWhy || this.#backend.midway || this.#client.writableEnded;
    if (isTold || this.#frontend.terminated || this.#lastAnswers.isAwaited) this.#end();
    else this.end(new ProxyError('PGC_UPSTREAM_LOST', { upstream: this.#settings.upstreamName }));
  }

  /** Bytes that are no protocol end this connection, and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#broken(error);
    }
  }

  #broken(error: unknown): void {
    if (error instanceof ConnectionOver) this.#end();
    else this.end(farewellFor(error, this.#peers.events));
  }
}
