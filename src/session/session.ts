/**
 * One client and its one upstream connection. Relays both ways, byte for byte, except where an expected reply says
 * otherwise; reads no faster than the other side takes.
 */
import type { Duplex } from 'node:stream';
import { ProxyError } from '../errors.js';
import { MessageReader, ProtocolViolation } from '../wire/reader.js';
import { BACKEND_TYPES, Backend, TransactionStatus } from '../wire/types.js';
import { assembleFrontend } from './assembly.js';
import { SessionCatalog } from './catalog/session-catalog.js';
import { ClientMessages } from './client/client-messages.js';
import { ConnectionOver } from './client/copy-in.js';
import type { Dispatch } from './dispatch.js';
import { leaveAtWork } from './leaving.js';
import type { Keeper } from './message-memory.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { Presence } from './presence.js';
import { sayFarewell } from './server/farewell.js';
import { Output } from './server/output.js';
import { ExpectedReplies } from './server/outstanding-replies.js';
import { ServerState } from './server/server-state.js';
import { BackendSide } from './server-messages.js';

/** A server may send what it likes; the length field is an Int32. */
const LONGEST_BACKEND_MESSAGE = 0x7fffffff;
/** So long what was being decided for a client that is gone may still take, in milliseconds. */
const LAST_UNIT = 1000;

export class Session implements Keeper {
  readonly #peers: SessionPeers;
  readonly #settings: SessionSettings;
  readonly #toClient: Output;
  readonly #toServer: Output;
  readonly #replies = new ExpectedReplies();
  readonly #fromClient: ClientMessages;
  readonly #fromServer: MessageReader;
  readonly #catalog: SessionCatalog;
  readonly #frontend: Dispatch;
  readonly #backend: BackendSide;
  readonly #presence: Presence;
  readonly #state = new ServerState();
  readonly #closed: Promise<void>;
  #busy = false;
  #clientEnded = false;
  #clientLost = false;
  #draining = false;
  #cancels = 0;
  #ended = false;

  constructor(peers: SessionPeers, settings: SessionSettings) {
    const { client, server, database, events } = peers;
    this.#peers = peers;
    this.#settings = settings;
    this.#toClient = new Output(client);
    this.#toServer = new Output(server);
    const isUnread = (type: number) =>
      type === Backend.CopyData || (type === Backend.DataRow && this.#replies.transparent);
    this.#fromServer = new MessageReader(BACKEND_TYPES, isUnread, LONGEST_BACKEND_MESSAGE);
    // The login is answered like a query: it ends with the first ReadyForQuery.
    this.#replies.expect('Query');
    const { graphs, rules } = settings;
    const catalog = new SessionCatalog({ database, graphs, rules, events });
    this.#catalog = catalog;
    this.#fromClient = new ClientMessages(this.#toServer, settings.messageBytes, () => catalog.arrived());
    const shared = { replies: this.#replies, state: this.#state, catalog };
    this.#frontend = assembleFrontend(peers, settings, { server: this.#toServer, ...shared });
    this.#backend = new BackendSide({
      client: this.#toClient,
      fromClient: this.#fromClient,
      ...shared,
      peers,
    });
    this.#presence = new Presence(client, this.#toClient, this.#state, () => {
      return (this.atWork || this.#busy) && !this.#fromServer.midway;
    });
    this.#closed = this.#wire();
  }

  /** Fulfilled when both connections are closed. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Whether the server is at work for the client: only then may a cancel request reach it. */
  get atWork(): boolean {
    return !this.#replies.settled;
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

  /** Ends the session as soon as no transaction is open; where the login is not over, at once. */
  drain(): void {
    this.#draining = true;
    if (this.#state.status === 0) this.end(new ProxyError('PGC_DRAINING'));
    this.#endIfDrained();
  }

  /** Ends the session at once, telling the client why. */
  end(error: ProxyError): void {
    if (!this.#ended) this.#peers.events.ended(error);
    // Inside of a message nothing can be said.
    this.#end(this.#fromServer.midway ? undefined : error);
  }

  outOfMemory(): void {
    this.end(new ProxyError('PGC_MEMORY'));
  }

  #end(error?: ProxyError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#presence.stop();
    this.#settings.memory.note(this, 0);
    const { cancel, client, server } = this.#peers;
    // Before the login is over there is nothing that could be cancelled.
    const isAtWork = !this.#replies.answered && this.#state.status !== 0 && !server.readableEnded;
    this.#toClient.flush();
    this.#toClient.close();
    this.#toServer.close();
    if (isAtWork) leaveAtWork(server, cancel);
    else server.destroy();
    sayFarewell(client, error);
    // Whoever waits for an answer must not wait for ever; what is sent because of it goes nowhere.
    this.#replies.end();
    this.#frontend.end();
  }

  #wire(): Promise<void> {
    const { client, server, events } = this.#peers;
    client.on('data', (chunk: Buffer) => this.#guard(() => this.#fromClientCame(chunk)));
    server.on('data', (chunk: Buffer) => this.#guard(() => this.#fromServerCame(chunk)));
    client.on('drain', () => server.resume());
    server.on('drain', () => this.#pump());
    client.on('end', () => this.#clientSaidAll());
    server.on('end', () => this.#serverEnded());
    client.on('error', (error) => events.broke('client', error));
    server.on('error', (error) => events.broke('upstream', error));
    const over = (stream: Duplex) => new Promise<void>((resolve) => stream.once('close', resolve));
    const closed = Promise.all([over(client), over(server)]).then(() => undefined);
    client.once('close', () => this.#clientGone());
    server.once('close', () => this.#serverEnded());
    // Whoever read the opening left the stream paused; its end may have come meanwhile.
    if (client.readableEnded) this.#clientSaidAll();
    else this.#pump();
    return closed;
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
    if (this.#lastUnitTaken) this.#peers.server.end();
    // What comes meanwhile is read, within bounds, and kept: so the end of the client is seen.
    if (this.#fromClient.isFull) {
      this.#peers.client.pause();
      if (!this.#clientEnded) this.#presence.watch();
    } else {
      this.#peers.client.resume();
      if (!this.#clientEnded) this.#presence.stop();
    }
    this.#settings.memory.note(this, this.#fromClient.kept + this.#peers.server.writableLength);
  }

  get #mayTake(): boolean {
    if (this.#busy || this.#cancels > 0 || this.#replies.isFull) return false;
    return !this.#peers.server.writableNeedDrain && !this.#lastUnitTaken;
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
    if (this.#fromClient.isOver) this.#clientEnded = true;
    if (this.#clientEnded && this.#mayTake && !this.#fromClient.isHeld) this.#peers.server.end();
  }

  #fromServerCame(chunk: Buffer): void {
    if (this.#ended) return;
    const isStuck = this.#fromClient.isHeld || this.#replies.isFull;
    this.#fromServer.push(chunk);
    for (let message = this.#fromServer.next(); message; message = this.#fromServer.next()) {
      this.#backend.take(message);
      if (message.type === Backend.ReadyForQuery) this.#noteIdle();
    }
    if (!this.#toClient.flush()) this.#peers.server.pause();
    if (isStuck) this.#pump();
    if (this.#draining) this.#endIfDrained();
  }

  /** With everything answered and no transaction open, what belonged to one is over. */
  #noteIdle(): void {
    if (this.#state.status !== TransactionStatus.Open) this.#catalog.transactionOver();
    if (this.#state.status === TransactionStatus.Idle) this.#catalog.committed();
    this.#frontend.answered(this.#isIdle());
  }

  #isIdle(): boolean {
    const idle = this.#state.status === TransactionStatus.Idle;
    return idle && this.#replies.settled && this.#frontend.betweenUnits && !this.#busy;
  }

  #endIfDrained(): void {
    if (this.#isIdle()) this.end(new ProxyError('PGC_SHUTDOWN'));
  }

  /** The client sends no more. It may wait for answers, or be gone: what is still at work for nobody has to end. */
  #clientSaidAll(): void {
    this.#clientEnded = true;
    this.#presence.stop();
    this.#pump();
    if (!this.#saidGoodbye) this.#presence.watch();
  }

  get #saidGoodbye(): boolean {
    return this.#frontend.terminated || this.#fromClient.saysGoodbye;
  }

  /**
   * Only what the session has taken goes on, up to its Sync: PostgreSQL notices a reset when its answer is refused. Who said
   * goodbye wants all that stands before it, which PostgreSQL reads in its turn.
   */
  #clientGone(): void {
    if (this.#ended) return;
    if (!this.#saidGoodbye) {
      this.#clientLost = true;
      setTimeout(() => this.#end(), this.#busy ? LAST_UNIT : 0).unref();
    }
    this.#clientEnded = true;
    this.#presence.stop();
    this.#toClient.close();
    this.#peers.server.resume();
    this.#pump();
  }

  #serverEnded(): void {
    const { client } = this.#peers;
    const told = this.#backend.hasSaidWhy || this.#fromServer.midway;
    if (told || this.#frontend.terminated || this.#clientEnded || client.writableEnded) this.#end();
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
    else if (error instanceof ProtocolViolation)
      this.end(new ProxyError('PGC_PROTOCOL', { reason: error.message }));
    else {
      this.#peers.events.failed(error);
      this.end(new ProxyError('PGC_INTERNAL'));
    }
  }
}
