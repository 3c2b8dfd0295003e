/** The embedded upstream behind a port of its own, and clients for it: node-postgres, and one that speaks in bytes. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import pg from 'pg';
import { type EmbeddedDatabase, openEmbedded } from '../../src/net/embedded/embedded.js';
import { readErrorFields, readRow, readTag } from '../../src/wire/backend.js';
import { MessageReader } from '../../src/wire/reader.js';
import { BACKEND_TYPES } from '../../src/wire/types.js';

export class EmbeddedServer {
  readonly upstream: EmbeddedDatabase;
  readonly port: number;
  readonly #listener: Server;

  private constructor(upstream: EmbeddedDatabase, listener: Server) {
    this.upstream = upstream;
    this.port = (listener.address() as AddressInfo).port;
    this.#listener = listener;
  }

  static async start(): Promise<EmbeddedServer> {
    const upstream = await openEmbedded();
    const listener = createServer(async (socket: Socket) => {
      socket.setNoDelay();
      const stream = await upstream.connect();
      pipeline(socket, stream, socket, () => {});
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new EmbeddedServer(upstream, listener);
  }

  /** A connected node-postgres client; its connection may break at any time without ending the test. */
  async client(config: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'joe',
      database: 'any',
      ...config,
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** The environment of psql and pgbench. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, PGHOST: '127.0.0.1', PGPORT: `${this.port}`, PGUSER: 'joe', PGDATABASE: 'any' };
  }

  async stop(): Promise<void> {
    this.#listener.close();
    await this.upstream.close();
  }
}

/** Cuts a connection like a client that was killed. */
export function kill(client: pg.Client): void {
  // node-postgres has no way to go without saying goodbye; its socket has.
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}

/** Speaks the protocol in bytes, straight to one of the upstream's streams. */
export class RawClient {
  readonly #reader = new MessageReader(BACKEND_TYPES, () => false, 0x7fffffff);
  readonly #seen: string[] = [];
  ended = false;
  #changed: () => void = () => {};

  readonly stream: Duplex;

  private constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      for (let message = this.#reader.next(); message; message = this.#reader.next()) {
        const type = String.fromCharCode(message.type);
        const bytes = message.buffer.subarray(message.start + 5, message.end);
        if (type === 'E') {
          const fields = readErrorFields(message);
          this.#seen.push(`E ${fields.get('S')} ${fields.get('C')} ${fields.get('M')}`);
        } else if (type === 'C') this.#seen.push(`C ${readTag(message)}`);
        else if (type === 'D') this.#seen.push(`D ${readRow(message).map(String).join('|')}`);
        else if (type === 'S' || type === 'v' || type === 'K')
          this.#seen.push(`${type} ${bytes.toString('latin1')}`);
        else if (type === 'Z') this.#seen.push(`Z ${bytes}`);
        else this.#seen.push(type);
      }
      this.#changed();
    });
    stream.on('end', () => {
      this.ended = true;
      this.#changed();
    });
  }

  /** A stream that nothing was sent on yet. */
  static async open(upstream: EmbeddedDatabase): Promise<RawClient> {
    return new RawClient(await upstream.connect());
  }

  static async connect(
    upstream: EmbeddedDatabase,
    parameters: Record<string, string> = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(upstream);
    client.send(startup({ user: 'joe', ...parameters }));
    await client.until(/^Z/);
    return client;
  }

  send(...messages: Uint8Array[]): void {
    this.stream.write(Buffer.concat(messages));
  }

  /** What came, message by message, up to one that matches or to the end of the stream. */
  async until(last: RegExp): Promise<string[]> {
    for (;;) {
      const index = this.#seen.findIndex((message) => last.test(message));
      if (index >= 0) return this.#seen.splice(0, index + 1);
      if (this.ended) return this.#seen.splice(0);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Sends, and gives what came up to ReadyForQuery. */
  ask(...messages: Uint8Array[]): Promise<string[]> {
    this.send(...messages);
    return this.until(/^Z/);
  }
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`);
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export function message(type: string, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

export function packet(code: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat([int32(code), ...parts]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export function startup(parameters: Record<string, string>, version = 0x30000): Buffer {
  return packet(version, ...Object.entries(parameters).flat().map(text), Buffer.from([0]));
}

export const query = (sql: string): Buffer => message('Q', text(sql));
export const parse = (name: string, sql: string): Buffer => message('P', text(name), text(sql), int16(0));
export const bind = (name: string): Buffer =>
  message('B', text(''), text(name), int16(0), int16(0), int16(0));
export const describe = (name: string): Buffer => message('D', Buffer.from('S'), text(name));
export const closeStatement = (name: string): Buffer => message('C', Buffer.from('S'), text(name));
export const execute = (): Buffer => message('E', text(''), int32(0));
export const run = (name: string): Buffer => Buffer.concat([bind(name), execute()]);
export const sync = message('S');
export const flush = message('H');
export const copyData = (data: string): Buffer => message('d', Buffer.from(data));
export const copyDone = message('c');
export const copyFail = (why: string): Buffer => message('f', text(why));
