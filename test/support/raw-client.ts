/** A client that speaks the protocol in bytes. It cuts messages by code of its own: what it tests must not read for it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { query } from './frontend-messages.js';

/** A message of the server's: its type letter, and what stands after the length. */
export interface RawMessage {
  readonly type: string;
  readonly body: Buffer;
}

export interface RawAddress {
  readonly host: string;
  readonly port: number;
  readonly ca?: string | undefined;
  /** The certificate of the client, and its key. */
  readonly own?: { readonly cert: string; readonly key: string } | undefined;
  /** Requests to which the server says no, before TLS. */
  readonly first?: readonly Buffer[];
}

export interface Login {
  readonly database: string;
  readonly user?: string;
  /** Protocol version: 0x30000 is 3.0, 0x30002 is 3.2. */
  readonly version?: number;
  /** Further startup parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export class RawClient {
  readonly socket: Socket;
  /** What the server said during the login, where there was one. */
  greeting: readonly RawMessage[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  #ended = false;
  #changed: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#changed();
    });
    const end = () => {
      this.#ended = true;
      this.#changed();
    };
    socket.on('end', end).on('close', end).on('error', end);
  }

  /** Connects, and says nothing yet; where the address has an authority's certificate, over TLS. Closed at the end of the test. */
  static async open(address: RawAddress): Promise<RawClient> {
    const socket = await connected(address);
    onTestFinished(() => void socket.destroy());
    return new RawClient(address.ca === undefined ? socket : await encrypted(socket, address));
  }

  /** On a connection that is there already. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  /** Connects and logs in, on a server that asks for no password. @throws with what came, where it is refused */
  static async login(address: RawAddress, login: Login): Promise<RawClient> {
    return (await RawClient.open(address)).#loggedIn(login);
  }

  /** As `login`, in clear; whoever calls it closes it. */
  static async loginKept(address: RawAddress, login: Login): Promise<RawClient> {
    return new RawClient(await connected(address)).#loggedIn(login);
  }

  async #loggedIn(login: Login): Promise<this> {
    this.send(startupPacket(login));
    this.greeting = await this.untilReady();
    return this;
  }

  /** Sends all of it in one write. */
  send(...bytes: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** Sends in writes of `size` bytes, each of which leaves as a packet of its own. */
  async sendInPieces(bytes: Uint8Array, size: number): Promise<void> {
    for (let at = 0; at < bytes.length; at += size)
      await new Promise<void>((resolve) => {
        this.socket.write(bytes.subarray(at, at + size), () => setImmediate(resolve));
      });
  }

  /** Waits for so many bytes, as the answer to an encryption request is no message; undefined at the end. */
  async bytes(count: number): Promise<Buffer | undefined> {
    while (this.#size < count) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    if ((this.#chunks[0]?.length ?? 0) < count) this.#chunks = [Buffer.concat(this.#chunks)];
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    this.#size -= count;
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    return first.subarray(0, count);
  }

  /** The next message; undefined where the server has closed the connection. */
  async next(): Promise<RawMessage | undefined> {
    const head = await this.bytes(5);
    const body = head && (await this.bytes(head.readUInt32BE(1) - 4));
    return body && { type: String.fromCharCode(head[0] ?? 0), body };
  }

  /** What comes up to the next message of this type, included. @throws where the connection ends before */
  async until(type: string): Promise<RawMessage[]> {
    const came: RawMessage[] = [];
    for (let message = await this.next(); message; message = await this.next()) {
      came.push(message);
      if (message.type === type) return came;
    }
    throw new Error(`the connection ended before "${type}" came, after: ${readable(came).join('; ')}`);
  }

  /** What comes up to the next ReadyForQuery, or up to so many of them. */
  async untilReady(count = 1): Promise<RawMessage[]> {
    const came: RawMessage[] = [];
    for (let i = 0; i < count; i++) came.push(...(await this.until('Z')));
    return came;
  }

  /** What comes until the server closes the connection. */
  async rest(): Promise<RawMessage[]> {
    const came: RawMessage[] = [];
    for (let message = await this.next(); message; message = await this.next()) came.push(message);
    return came;
  }

  /** Sends, and reads up to ReadyForQuery. */
  ask(...bytes: readonly Uint8Array[]): Promise<RawMessage[]> {
    this.send(...bytes);
    return this.untilReady();
  }

  /** As `ask`, in words. */
  async told(...bytes: readonly Uint8Array[]): Promise<string[]> {
    return readable(await this.ask(...bytes));
  }
}

async function connected({ host, port }: RawAddress): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Begins TLS as libpq does: it asks first. A reset is one of the connection below. */
async function encrypted(socket: Socket, { host, ca, own, first = [] }: RawAddress): Promise<Socket> {
  const answers: string[] = [];
  for (const request of [...first, packet(80877103)]) {
    socket.write(request);
    answers.push(String((await once(socket, 'data'))[0]));
  }
  const expected = `${'N'.repeat(first.length)}S`;
  if (answers.join('') !== expected) throw new Error(`the server answered "${answers}" to a request for TLS`);
  const secure = connectTls({ socket, host, ca, ...own });
  await once(secure, 'secureConnect');
  return Object.assign(secure, { resetAndDestroy: () => socket.resetAndDestroy() });
}

/** A startup packet, as a message without a type. */
export function startupPacket({
  database,
  user = 'postgres',
  version = 0x30000,
  parameters = {},
}: Login): Buffer {
  const fields = Object.entries({ user, database, ...parameters }).flat();
  return packet(version, Buffer.from(`${fields.map((field) => `${field}\0`).join('')}\0`));
}

/** CancelRequest for the session that said this BackendKeyData. */
export function cancelPacket(client: RawClient): Buffer {
  const key = client.greeting.find(({ type }) => type === 'K');
  return packet(80877102, key?.body ?? Buffer.alloc(0));
}

export function packet(code: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([int32(code), ...parts]);
  return Buffer.concat([int32(body.length + 4), body]);
}

/** Any message. Those that drivers send are made by pg-protocol's `serialize`. */
export function message(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/**
 * Messages in words, without what differs from one run to the next: `C DELETE 1`. Of an error the fields that clients
 * act on: not the place in the server's source.
 * @param names for the object ids of tables and types, which differ between databases
 */
export function readable(messages: readonly RawMessage[], names?: ReadonlyMap<number, string>): string[] {
  return messages.map(({ type, body }) => {
    switch (type) {
      case 'C':
      case 'Z':
        return `${type} ${body.toString('latin1').replace('\0', '')}`;
      case 'D':
        return `D ${rowOf(body).join('|')}`;
      case 'E':
      case 'N':
        return `${type} ${errorOf(body).join(' ')}`;
      case 'T':
        return `T ${fieldsOf(body, names).join(' ')}`;
      case 'A':
        return `A ${body.toString('utf8', 4).replaceAll('\0', ' ')}`;
      case 'K':
        return `K ${body.length}`;
      default:
        return body.length === 0 ? type : `${type} ${body.toString('latin1').replaceAll('\0', '.')}`;
    }
  });
}

function rowOf(body: Buffer): string[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE(0) }, () => {
    const length = body.readInt32BE(at);
    at += 4 + Math.max(length, 0);
    return length < 0 ? 'NULL' : body.toString('latin1', at - length, at);
  });
}

function errorOf(body: Buffer): string[] {
  return body
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '' && !'FLR'.includes(field[0] ?? ''))
    .map((field) => `${field[0]}=${field.slice(1)}`)
    .sort();
}

/** name:type/format, and @table.number where the column is one of a table's. */
function fieldsOf(body: Buffer, names: ReadonlyMap<number, string> | undefined): string[] {
  let at = 2;
  return Array.from({ length: body.readUInt16BE(0) }, () => {
    const end = body.indexOf(0, at);
    const name = body.toString('utf8', at, end);
    const table = body.readUInt32BE(end + 1);
    const place = table === 0 ? '' : `@${names?.get(table) ?? table}.${body.readInt16BE(end + 5)}`;
    const oid = body.readUInt32BE(end + 7);
    const type = [names?.get(oid) ?? oid, body.readInt16BE(end + 11), body.readInt32BE(end + 13)];
    at = end + 19;
    return `${name}:${type.join(',')}/${body.readInt16BE(end + 17)}${place}`;
  });
}

/** All answers to the texts, sent one after the other. */
export async function askAll(client: RawClient, texts: readonly string[]): Promise<RawMessage[]> {
  const answers: RawMessage[] = [];
  for (const text of texts) answers.push(...(await client.ask(query(text))));
  return answers;
}
