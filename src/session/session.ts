/**
 * One client and its one upstream connection. Relays both ways, byte for byte, except where an expected reply says
 * otherwise; reads no faster than the other side takes.
 */
import type { Duplex } from 'node:stream';
import { ProxyError } from '../errors.js';
import { Field, readErrorFields, readTag } from '../wire/backend.js';
import { type Message, MessageReader, ProtocolViolation } from '../wire/reader.js';
import { cancelKey } from '../wire/startup.js';
import { BACKEND_TYPES, Backend, TransactionStatus } from '../wire/types.js';
import { SessionCircumstances } from './circumstances.js';
import { ClientMessages } from './client-messages.js';
import { ConnectionOver } from './copy-in.js';
import { sayFarewell } from './farewell.js';
import { FrontendSide } from './frontend.js';
import { Injection } from './injection.js';
import { knownName, Names } from './names.js';
import { Naming } from './naming.js';
import type { SessionPeers, SessionSettings } from './options.js';
import { OtherServer } from './other-server.js';
import { Output } from './output.js';
import type { Prepared } from './prepared.js';
import { ExpectedReplies, type Verdict } from './replies.js';
import { Rewriter } from './rewriter.js';
import { ServerState } from './server-state.js';

/** A server may send what it likes; the length field is an Int32. */
const LONGEST_BACKEND_MESSAGE = 0x7fffffff;

export class Session {
  readonly #peers: SessionPeers;
  readonly #settings: SessionSettings;
  readonly #toClient: Output;
  readonly #toServer: Output;
  readonly #replies = new ExpectedReplies();
  readonly #fromClient: ClientMessages;
  readonly #fromServer: MessageReader;
  readonly #circumstances: SessionCircumstances;
  readonly #frontend: FrontendSide;
  readonly #state = new ServerState();
  readonly #closed: Promise<void>;
  #busy = false;
  #clientEnded = false;
  #fatal = false;
  #draining = false;
  #cancels = 0;
  #ended = false;

  constructor(peers: SessionPeers, settings: SessionSettings) {
    const { client, server, database, log } = peers;
    this.#peers = peers;
    this.#settings = settings;
    this.#toClient = new Output(client);
    this.#toServer = new Output(server);
    this.#fromClient = new ClientMessages(this.#toServer, settings.messageBytes);
    const isUnread = (type: number) =>
      type === Backend.CopyData || (type === Backend.DataRow && this.#replies.transparent);
    this.#fromServer = new MessageReader(BACKEND_TYPES, isUnread, LONGEST_BACKEND_MESSAGE);
    // The login is answered like a query: it ends with the first ReadyForQuery.
    this.#replies.expect('Query');
    const report = (problem: string) => log.warn(problem);
    const { graphs, rules, reject, refusesCode, statements, triggers } = settings;
    this.#circumstances = new SessionCircumstances({ database, graphs, rules, report });
    const prepared = new Names<Prepared>((name) => knownName(name, this.#state));
    const naming = new Naming(this.#toServer);
    const injection = new Injection(this.#toServer, this.#replies);
    const otherServer = new OtherServer({
      ...{ database, graphs, rules, report, injection },
      ...{ replies: this.#replies, state: this.#state },
    });
    const rewriter = new Rewriter({
      statements,
      otherServer,
      circumstances: this.#circumstances,
      injection,
      prepared,
      naming,
      replies: this.#replies,
      state: this.#state,
      reject,
      refusesCode,
      passed: (error) =>
        log.warn({ error: error.errorName }, `passed on without a cascade: ${error.message}`),
      triggers,
      warn: (text) => graphs.isNews(database, text) && report(`${database}: ${text}`),
    });
    this.#frontend = new FrontendSide({
      server: this.#toServer,
      replies: this.#replies,
      circumstances: this.#circumstances,
      injection,
      rewriter,
      state: this.#state,
      prepared,
      naming,
      active: settings.active,
      refusesCode,
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
    this.#peers.client.pause();
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
    // Inside of a message nothing can be said.
    this.#end(this.#fromServer.midway ? undefined : error);
  }

  #end(error?: ProxyError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#toClient.flush();
    this.#toClient.close();
    this.#toServer.close();
    this.#peers.server.destroy();
    sayFarewell(this.#peers.client, error);
    // Whoever waits for an answer must not wait for ever; what is sent because of it goes nowhere.
    this.#replies.end();
    this.#frontend.end();
  }

  #wire(): Promise<void> {
    const { client, server } = this.#peers;
    client.on('data', (chunk: Buffer) => this.#guard(() => this.#fromClientCame(chunk)));
    server.on('data', (chunk: Buffer) => this.#guard(() => this.#fromServerCame(chunk)));
    client.on('drain', () => server.resume());
    server.on('drain', () => this.#pump());
    client.on('end', () => {
      this.#clientEnded = true;
      this.#pump();
    });
    server.on('end', () => this.#serverEnded());
    client.on('error', (error) => this.#peers.log.debug({ err: error }, 'the client connection broke'));
    server.on('error', (error) => this.#peers.log.debug({ err: error }, 'the upstream connection broke'));
    const over = (stream: Duplex) => new Promise<void>((resolve) => stream.once('close', resolve));
    // Whoever read the opening left the stream paused; its end may have come meanwhile.
    if (client.readableEnded) this.#clientEnded = true;
    this.#pump();
    client.once('close', () => server.destroy());
    server.once('close', () => this.#serverEnded());
    return Promise.all([over(client), over(server)]).then(() => undefined);
  }

  #fromClientCame(chunk: Buffer): void {
    if (this.#ended) return;
    this.#circumstances.arrived();
    this.#fromClient.push(chunk);
    this.#pump();
  }

  /** Takes the client's messages one after the other, until one has to wait for the server. */
  #pump(): void {
    if (this.#ended) return;
    if (this.#busy || this.#cancels > 0) {
      this.#peers.client.pause();
      return;
    }
    this.#guard(() => {
      for (let message = this.#fromClient.next(); message; message = this.#fromClient.next()) {
        const waiting = this.#frontend.take(message);
        if (waiting) {
          this.#busy = true;
          this.#toServer.flushSoon();
          this.#peers.client.pause();
          waiting.then(
            () => {
              this.#busy = false;
              this.#pump();
            },
            (error) => this.#broken(error),
          );
          return;
        }
      }
      const room = this.#toServer.flush();
      if (this.#fromClient.isOver) this.#clientEnded = true;
      if (this.#clientEnded) this.#peers.server.end();
      else if (room) this.#peers.client.resume();
      else this.#peers.client.pause();
    });
  }

  #fromServerCame(chunk: Buffer): void {
    this.#fromServer.push(chunk);
    for (let message = this.#fromServer.next(); message; message = this.#fromServer.next())
      this.#answer(message);
    if (!this.#toClient.flush()) this.#peers.server.pause();
    if (this.#draining) this.#endIfDrained();
  }

  #answer(message: Message): void {
    switch (message.type) {
      case Backend.NoticeResponse:
        this.#give(message, this.#replies.notice(message));
        return;
      case Backend.NotificationResponse:
        this.#toClient.forward(message);
        return;
      case Backend.ParameterStatus:
        if (this.#state.noteParameter(message) === 'search_path') this.#circumstances.note('settings');
        this.#toClient.forward(message);
        return;
      case Backend.BackendKeyData:
        this.#peers.onKey(cancelKey(message.buffer.subarray(message.start + 5, message.end)));
        this.#toClient.forward(message);
        return;
      case Backend.ReadyForQuery:
        if (this.#state.status === 0) this.#peers.onReady();
        this.#state.noteStatus(message);
        break;
      case Backend.ErrorResponse:
        this.#fatal ||= /FATAL|PANIC/.test(readErrorFields(message).get(Field.severityNonLocalized) ?? '');
        break;
      case Backend.CommandComplete:
        if (this.#circumstances.changing && readTag(message) === 'COMMIT') this.#circumstances.committed();
        break;
      default:
    }
    this.#give(message, this.#replies.receive(message));
    if (message.type === Backend.ReadyForQuery) this.#noteIdle();
  }

  #give(message: Message, verdict: Verdict): void {
    if (verdict === 'forward') this.#toClient.forward(message);
    else if (verdict !== 'swallow') this.#toClient.write(verdict);
  }

  /** With everything answered and no transaction open, what belonged to one is over. */
  #noteIdle(): void {
    if (this.#state.status !== TransactionStatus.Open) this.#circumstances.transactionOver();
    if (this.#state.status === TransactionStatus.Idle) this.#circumstances.committed();
    this.#frontend.answered(this.#isIdle());
  }

  #isIdle(): boolean {
    const idle = this.#state.status === TransactionStatus.Idle;
    return idle && this.#replies.settled && this.#frontend.betweenUnits && !this.#busy;
  }

  #endIfDrained(): void {
    if (this.#isIdle()) this.end(new ProxyError('PGC_SHUTDOWN'));
  }

  #serverEnded(): void {
    const { client } = this.#peers;
    const told = this.#fatal || this.#fromServer.midway;
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
      this.#peers.log.error({ err: error }, 'a session failed');
      this.end(new ProxyError('PGC_INTERNAL'));
    }
  }
}
