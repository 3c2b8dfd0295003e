/**
 * What goes between one client and its server until the login is over: the client hears what the server says. What the server
 * asks for, the client answers, or the proxy in its place.
 */
import type { Duplex } from 'node:stream';
import { ProxyError } from '../errors.js';
import { farewellFor, sayFarewell } from '../session/server/farewell.js';
import { Output } from '../session/server/output.js';
import { asksForAnswer, offerForRelay, refusesHiddenOffer } from '../wire/authentication.js';
import { Field, readErrorFields } from '../wire/backend.js';
import { type Message, MessageReader, ProtocolViolation } from '../wire/reader.js';
import { BACKEND_TYPES, Backend, LONGEST_BACKEND_MESSAGE } from '../wire/types.js';
import { ClientAnswers } from './client-answers.js';
import { Listening } from './exchange/listening.js';
import type { RelayedDemands } from './exchange/relayed-demands.js';
import type { ServerLogin } from './exchange/server-login.js';
import { Greeting } from './greeting.js';
import type { LoggedIn, LoginPeers } from './login.js';

export interface RelayOptions {
  /** The longest message taken of a client, in bytes. */
  readonly messageBytes: number;
  /** Answers what the server asks for in a login, in the client's place. */
  readonly serverLogin?: ServerLogin;
  /** What the server may ask the client for, where the client answers. */
  readonly demands?: RelayedDemands;
  /** What the client has sent already, and nobody has read. */
  readonly fromClient?: Buffer;
}

export class Relay {
  readonly #peers: LoginPeers;
  readonly #server: Duplex;
  readonly #toClient: Output;
  readonly #toServer: Output;
  readonly #answers: ClientAnswers;
  readonly #fromServer: MessageReader;
  readonly #serverLogin: ServerLogin | undefined;
  readonly #demands: RelayedDemands | undefined;
  readonly #listening = new Listening();
  readonly #greeting = new Greeting();
  /** Whether an answer to the server is in the making: it says nothing more before it has got it. */
  #isAnswering = false;
  #clientEnded = false;
  #ended = false;
  #settle: (loggedIn: LoggedIn | undefined) => void = () => {};

  /** @param server has got the startup packet */
  constructor(peers: LoginPeers, server: Duplex, options: RelayOptions) {
    this.#peers = peers;
    this.#server = server;
    this.#toClient = new Output(peers.client);
    this.#toServer = new Output(server);
    this.#answers = new ClientAnswers(this.#toServer, options.messageBytes);
    if (options.fromClient?.length) this.#answers.push(options.fromClient);
    this.#serverLogin = options.serverLogin;
    this.#demands = options.demands;
    this.#fromServer = new MessageReader(BACKEND_TYPES, isPassedInPieces, LONGEST_BACKEND_MESSAGE);
  }

  run(): Promise<LoggedIn | undefined> {
    const { client, connection } = this.#peers;
    const [server, listening] = [this.#server, this.#listening];
    listening.to(client, 'data', (chunk: Buffer) => this.#guard(() => this.#fromClientCame(chunk)));
    listening.to(server, 'data', (chunk: Buffer) => this.#guard(() => this.#fromServerCame(chunk)));
    listening.to(client, 'drain', () => this.#resumeServer());
    listening.to(server, 'drain', () => this.#guard(() => this.#relayAnswers()));
    listening.to(client, 'end', () => this.#guard(() => this.#clientSaidAll()));
    listening.to(server, 'end', () => this.#serverEnded());
    listening.to(client, 'finish', () => this.#end());
    listening.to(client, 'close', () => this.#guard(() => this.#clientGone()));
    listening.to(server, 'close', () => this.#serverEnded());
    listening.forReset(connection);
    return new Promise((resolve) => {
      this.#settle = resolve;
      // Whoever read the opening left the stream paused; its end may have come meanwhile.
      if (client.readableEnded) this.#clientSaidAll();
      else client.resume();
    });
  }

  #fromClientCame(chunk: Buffer): void {
    this.#answers.push(chunk);
    this.#relayAnswers();
  }

  #relayAnswers(): void {
    const { client } = this.#peers;
    const [server, answers] = [this.#server, this.#answers];
    while (!server.writableNeedDrain) {
      const message = answers.next();
      if (message === undefined) break;
      this.#toServer.forward(message);
    }
    this.#toServer.flush();
    if (answers.isOver) this.#clientEnded = true;
    const hasSaidAll = this.#clientEnded && !server.writableNeedDrain && !answers.isHeld;
    // Where the proxy answers in its place, a client that has closed its side and asked for nothing needs no login.
    if (hasSaidAll && this.#serverLogin) this.#end();
    else if (hasSaidAll) server.end();
    // What the server has not asked for is read, within bounds, and kept: so the end of the client is seen.
    if (answers.isFull) client.pause();
    else client.resume();
  }

  #fromServerCame(chunk: Buffer): void {
    this.#fromServer.push(chunk);
    this.#readServer();
  }

  #readServer(): void {
    for (let message = this.#fromServer.next(); message; message = this.#fromServer.next()) {
      if (this.#serverLogin && message.type === Backend.Authentication) {
        this.#answer(this.#serverLogin, Buffer.from(message.buffer.subarray(message.start, message.end)));
        return;
      }
      if (this.#isExplained(message) || this.#isUnwanted(message)) return;
      if (message.type === Backend.Authentication && asksForAnswer(message)) this.#answers.asked();
      this.#greeting.note(message);
      this.#pass(message);
      if (message.type !== Backend.ReadyForQuery) continue;
      this.#handOver(message);
      return;
    }
    if (!this.#toClient.flush()) this.#server.pause();
    this.#relayAnswers();
  }

  /** Answers the server in the client's place, which gets the AuthenticationOk. What the server says meanwhile waits. */
  #answer(serverLogin: ServerLogin, question: Buffer): void {
    this.#isAnswering = true;
    this.#server.pause();
    this.#toClient.flush();
    const answered = (answer: Buffer | undefined) => {
      this.#isAnswering = false;
      if (this.#ended) return;
      if (answer) this.#server.write(answer);
      else this.#toClient.write(question);
      this.#server.resume();
      this.#readServer();
    };
    serverLogin.answer(question).then(
      (answer) => this.#guard(() => answered(answer)),
      (error: unknown) => this.#guard(() => this.#fail(error)),
    );
  }

  /** Ends the login by an error of the proxy's own, where the server's would mean something else to the client. */
  #isExplained(message: Message): boolean {
    if (message.type !== Backend.ErrorResponse) return false;
    const fields = readErrorFields(message);
    if (this.#serverLogin) {
      // It is not the client that has said something wrong, but the file of users.
      if (fields.get(Field.code) !== INVALID_PASSWORD) return false;
      this.#end(this.#serverLogin.rejected());
    } else {
      if (!refusesHiddenOffer(fields)) return false;
      this.#end(new ProxyError('PGC_BINDING_RELAYED'));
    }
    return true;
  }

  /** Ends a login that the URL of the server does not allow. */
  #isUnwanted({ type, buffer, start, end }: Message): boolean {
    if (type !== Backend.Authentication) return false;
    const refusal = this.#demands?.refusal(buffer.subarray(start, end));
    if (refusal) this.#end(refusal);
    return refusal !== undefined;
  }

  #fail(error: unknown): void {
    if (!(error instanceof ProxyError)) throw error;
    this.#end(error);
  }

  #resumeServer(): void {
    if (!this.#isAnswering) this.#server.resume();
  }

  #pass(message: Message): void {
    const offer =
      message.type === Backend.Authentication ? offerForRelay(message, this.#demands?.takes) : undefined;
    if (offer) this.#toClient.write(offer);
    else this.#toClient.forward(message);
  }

  #handOver(ready: Message): void {
    const { client } = this.#peers;
    // Nobody could tell where the client's next message begins.
    if (this.#answers.midway) throw new ProtocolViolation('the login ended before its last answer');
    this.#ended = true;
    this.#listening.stop();
    client.pause();
    this.#server.pause();
    this.#toClient.flush();
    this.#settle({
      server: this.#server,
      key: this.#greeting.key,
      parameters: this.#greeting.parameters,
      status: ready.buffer[ready.start + 5] ?? 0,
      fromClient: this.#answers.unread,
      fromServer: this.#fromServer.unread,
    });
  }

  #clientSaidAll(): void {
    this.#clientEnded = true;
    this.#relayAnswers();
  }

  /** A client that has sent Terminate wants all that it sent before carried out: PostgreSQL reads up to the Terminate. */
  #clientGone(): void {
    if (!this.#answers.saysGoodbye) {
      this.#end();
      return;
    }
    this.#clientEnded = true;
    this.#toClient.close();
    this.#resumeServer();
    this.#relayAnswers();
  }

  #serverEnded(): void {
    const { client, upstream } = this.#peers;
    const isTold = this.#greeting.hasSaidWhy || this.#fromServer.midway || client.writableEnded;
    if (isTold || this.#clientEnded) this.#end();
    else this.#end(new ProxyError('PGC_UPSTREAM_LOST', { upstream: upstream.name }));
  }

  #end(error?: ProxyError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listening.stop();
    if (error) this.#peers.events.ended(error);
    this.#toClient.flush();
    this.#toServer.close();
    this.#server.destroy();
    // Inside of a message nothing can be said.
    sayFarewell(this.#peers.client, this.#fromServer.midway ? undefined : error);
    this.#settle(undefined);
  }

  /** Bytes that are no protocol end this login, and nothing else. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#end(farewellFor(error, this.#peers.events));
    }
  }
}

/** SQLSTATE 28P01, invalid_password. */
const INVALID_PASSWORD = '28P01';

/** Nobody reads them in a login, in which no server sends any. */
function isPassedInPieces(type: number): boolean {
  return type === Backend.CopyData || type === Backend.DataRow;
}
