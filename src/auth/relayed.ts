/**
 * A login that the server and the client make out between themselves: the server asks, the client answers, and each hears what
 * the other says (protocol-flow.html#PROTOCOL-FLOW-START-UP). All methods pass but those that are bound to the connection.
 */
import type { Duplex } from 'node:stream';
import { ProxyError } from '../errors.js';
import { farewellFor, sayFarewell } from '../session/server/farewell.js';
import { Output } from '../session/server/output.js';
import { asksForAnswer, withoutChannelBinding } from '../wire/authentication.js';
import { readParameterStatus, saysFatal } from '../wire/backend.js';
import { type Message, MessageReader, ProtocolViolation } from '../wire/reader.js';
import { cancelKey } from '../wire/startup.js';
import { BACKEND_TYPES, Backend, LONGEST_BACKEND_MESSAGE } from '../wire/types.js';
import { ClientAnswers } from './client-answers.js';
import { Listening } from './listening.js';
import type { LoggedIn, Login, LoginPeers, Startup } from './login.js';

export class RelayedLogin implements Login {
  readonly #messageBytes: number;

  /** @param messageBytes the longest message taken of a client, in bytes */
  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  async run(peers: LoginPeers, startup: Startup): Promise<LoggedIn | undefined> {
    const { client, upstream } = peers;
    const server = await upstream.connect();
    // The client may be gone by now, or may have been told why it is not served. (One that has only closed its own side for
    // writing is served.)
    if (client.destroyed || client.writableEnded) {
      server.destroy();
      return undefined;
    }
    server.write(startup.raw);
    return new Relay(peers, server, this.#messageBytes).run();
  }
}

/** The relay between one client and its server, until the login is over. */
class Relay {
  readonly #peers: LoginPeers;
  readonly #server: Duplex;
  readonly #toClient: Output;
  readonly #toServer: Output;
  readonly #answers: ClientAnswers;
  readonly #fromServer: MessageReader;
  readonly #listening = new Listening();
  readonly #parameters = new Map<string, string>();
  #key: string | undefined;
  #hasSaidWhy = false;
  #clientEnded = false;
  #ended = false;
  #settle: (loggedIn: LoggedIn | undefined) => void = () => {};

  constructor(peers: LoginPeers, server: Duplex, messageBytes: number) {
    this.#peers = peers;
    this.#server = server;
    this.#toClient = new Output(peers.client);
    this.#toServer = new Output(server);
    this.#answers = new ClientAnswers(this.#toServer, messageBytes);
    this.#fromServer = new MessageReader(BACKEND_TYPES, isPassedInPieces, LONGEST_BACKEND_MESSAGE);
  }

  run(): Promise<LoggedIn | undefined> {
    const { client } = this.#peers;
    const [server, listening] = [this.#server, this.#listening];
    listening.to(client, 'data', (chunk: Buffer) => this.#guard(() => this.#fromClientCame(chunk)));
    listening.to(server, 'data', (chunk: Buffer) => this.#guard(() => this.#fromServerCame(chunk)));
    listening.to(client, 'drain', () => server.resume());
    listening.to(server, 'drain', () => this.#guard(() => this.#relayAnswers()));
    listening.to(client, 'end', () => this.#guard(() => this.#clientSaidAll()));
    listening.to(server, 'end', () => this.#serverEnded());
    listening.to(client, 'finish', () => this.#end());
    listening.to(client, 'close', () => this.#guard(() => this.#clientGone()));
    listening.to(server, 'close', () => this.#serverEnded());
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
    if (this.#clientEnded && !server.writableNeedDrain && !answers.isHeld) server.end();
    // What the server has not asked for is read, within bounds, and kept: so the end of the client is seen.
    if (answers.isFull) client.pause();
    else client.resume();
  }

  #fromServerCame(chunk: Buffer): void {
    this.#fromServer.push(chunk);
    for (let message = this.#fromServer.next(); message; message = this.#fromServer.next()) {
      this.#note(message);
      this.#pass(message);
      if (message.type !== Backend.ReadyForQuery) continue;
      this.#handOver(message);
      return;
    }
    if (!this.#toClient.flush()) this.#server.pause();
    this.#relayAnswers();
  }

  #note(message: Message): void {
    switch (message.type) {
      case Backend.Authentication:
        if (asksForAnswer(message)) this.#answers.asked();
        return;
      case Backend.ParameterStatus: {
        const { name, value } = readParameterStatus(message);
        this.#parameters.set(name, value);
        return;
      }
      case Backend.BackendKeyData:
        this.#key = cancelKey(message.buffer.subarray(message.start + 5, message.end));
        return;
      case Backend.ErrorResponse:
        this.#hasSaidWhy ||= saysFatal(message);
        return;
      default:
    }
  }

  #pass(message: Message): void {
    const offer = message.type === Backend.Authentication ? withoutChannelBinding(message) : undefined;
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
      key: this.#key,
      parameters: this.#parameters,
      status: ready.buffer[ready.start + 5] ?? 0,
      fromClient: this.#answers.unread,
      fromServer: this.#fromServer.unread,
    });
  }

  #clientSaidAll(): void {
    this.#clientEnded = true;
    this.#relayAnswers();
  }

  /** Who said goodbye wants all that stands before it, which PostgreSQL reads in its turn. */
  #clientGone(): void {
    if (!this.#answers.saysGoodbye) {
      this.#end();
      return;
    }
    this.#clientEnded = true;
    this.#toClient.close();
    this.#server.resume();
    this.#relayAnswers();
  }

  #serverEnded(): void {
    const { client, upstream } = this.#peers;
    const isTold = this.#hasSaidWhy || this.#fromServer.midway || client.writableEnded;
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

/** Nobody reads them in a login, in which no server sends any. */
function isPassedInPieces(type: number): boolean {
  return type === Backend.CopyData || type === Backend.DataRow;
}
