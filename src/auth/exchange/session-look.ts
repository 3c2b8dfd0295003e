/**
 * Logs in to a server and looks what kind of session it gives, before the client hears of it (CONNECTION_CHECK_TARGET in
 * fe-connect.c).
 */
import type { Duplex } from 'node:stream';
import { type Aspect, aspectOf, type SessionTarget, unwanted } from '../../upstream/session-kind.js';
import { readParameterStatus, readRow } from '../../wire/backend.js';
import { write } from '../../wire/frontend.js';
import { type Message, MessageReader } from '../../wire/reader.js';
import { Authentication, readAuthentication } from '../../wire/sasl.js';
import { BACKEND_TYPES, Backend, LONGEST_BACKEND_MESSAGE } from '../../wire/types.js';
import type { ServerLogin } from './server-login.js';

/** A session is so where one of the parameters is on, which PostgreSQL reports from 14 on; or else, where the answer says so. */
const KNOWN = {
  readOnly: {
    parameters: ['in_hot_standby', 'default_transaction_read_only'],
    question: 'SHOW transaction_read_only',
  },
  standby: { parameters: ['in_hot_standby'], question: 'SELECT pg_catalog.pg_is_in_recovery()' },
} as const satisfies Record<Aspect, object>;

/**
 * What has to reach the client is put back into the stream: all from the AuthenticationOk on, or the error by which the server
 * refuses the login.
 * @param server has got the startup packet, and is not read by anybody else
 * @returns why the session is not wanted; undefined: it is, or there is none
 * @throws ProxyError where the server asks for what there is no answer to
 * @throws an Error where it closes the connection
 */
export async function lookAtSession(
  server: Duplex,
  login: ServerLogin,
  target: SessionTarget,
): Promise<string | undefined> {
  const messages = new ServerMessages(server);
  try {
    const greeting = await logIn(messages, server, login);
    if (!greeting) return undefined;
    const { parameters, question } = KNOWN[aspectOf(target)];
    const known = parameters.map((name) => greeting.get(name));
    const isSo = known.includes(undefined)
      ? await isTrue(messages, server, question)
      : known.some((value) => value === 'on');
    return unwanted(target, isSo);
  } finally {
    messages.end();
  }
}

/** @returns the parameters that the server reports; undefined where it refuses the login */
async function logIn(
  messages: ServerMessages,
  server: Duplex,
  login: ServerLogin,
): Promise<ReadonlyMap<string, string> | undefined> {
  const parameters = new Map<string, string>();
  for (;;) {
    const message = await messages.next();
    const bytes = message.buffer;
    if (message.type === Backend.Authentication) {
      const answer = await login.answer(bytes);
      if (readAuthentication(bytes).code === Authentication.Ok) messages.keep(bytes);
      else if (answer) server.write(answer);
      continue;
    }
    messages.keep(bytes);
    if (message.type === Backend.ErrorResponse) return undefined;
    if (message.type === Backend.ReadyForQuery) return parameters;
    if (message.type !== Backend.ParameterStatus) continue;
    const { name, value } = readParameterStatus(message);
    parameters.set(name, value);
  }
}

/** @throws an Error where the server does not say */
async function isTrue(messages: ServerMessages, server: Duplex, question: string): Promise<boolean> {
  server.write(write.query(question));
  let answer: string | undefined;
  for (;;) {
    const message = await messages.next();
    if (message.type === Backend.DataRow) answer = readRow(message)[0]?.toString('latin1');
    if (message.type !== Backend.ReadyForQuery) continue;
    if (answer === undefined) throw new Error(`the server did not answer "${question}"`);
    return answer === 'on' || answer === 't';
  }
}

/** The server's messages, one after the other, and those that are put back. */
class ServerMessages {
  readonly #server: Duplex;
  readonly #reader = new MessageReader(BACKEND_TYPES, () => false, LONGEST_BACKEND_MESSAGE);
  readonly #kept: Buffer[] = [];
  readonly #changed = () => this.#wake();
  #wake: () => void = () => {};

  constructor(server: Duplex) {
    this.#server = server;
    for (const event of EVENTS) server.on(event, this.#changed);
  }

  /** A copy. @throws where the connection ends before it is whole */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#reader.next();
      if (message) {
        const buffer = Buffer.from(message.buffer.subarray(message.start, message.end));
        return { type: message.type, buffer, start: 0, end: buffer.length, last: true };
      }
      await this.#read();
    }
  }

  keep(message: Buffer): void {
    this.#kept.push(message);
  }

  /** Puts back what was kept, and what nobody has read. */
  end(): void {
    const server = this.#server;
    for (const event of EVENTS) server.off(event, this.#changed);
    const bytes = Buffer.concat([...this.#kept, this.#reader.unread]);
    if (bytes.length > 0 && !server.readableEnded && !server.destroyed) server.unshift(bytes);
  }

  /** To read beyond what is there would end a stream that has ended: then nothing could be put back into it. */
  async #read(): Promise<void> {
    const server = this.#server;
    while (server.readableLength === 0) {
      if (server.readableEnded || server.destroyed)
        throw new Error('the server closed the connection unexpectedly');
      server.read();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#reader.push(server.read(server.readableLength));
  }
}

const EVENTS = ['readable', 'end', 'close', 'error'] as const;
