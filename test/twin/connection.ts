/** A connection in bytes: what it is given it sends, and what comes up to ReadyForQuery it gives back, undecoded. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** No statement takes so long. */
const PATIENCE = 30_000;

export class Connection {
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #came: Message[] = [];
  #wanted = 0;
  #done: (error?: Error) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#done(error));
    socket.on('close', () => this.#done(new Error('the connection was closed')));
  }

  /** Logs in, on a server that asks for no password. */
  static async open({ host, port, user, database }: Address, settings: string): Promise<Connection> {
    const socket = connect({ host, port, noDelay: true });
    await once(socket, 'connect');
    const connection = new Connection(socket);
    const fields = ['user', user, 'database', database, 'options', settings];
    const body = Buffer.from(`\0\x03\0\0${fields.map((field) => `${field}\0`).join('')}\0`, 'latin1');
    const head = Buffer.alloc(4);
    head.writeInt32BE(body.length + 4);
    await connection.ask(Buffer.concat([head, body]));
    return connection;
  }

  /** @returns what came up to so many times ReadyForQuery */
  ask(bytes: Uint8Array, readies = 1): Promise<readonly Message[]> {
    return new Promise((resolve, reject) => {
      this.#wanted = readies;
      const late = setTimeout(() => this.#done(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE);
      this.#done = (error) => {
        clearTimeout(late);
        this.#done = () => {};
        const came = this.#came;
        this.#came = [];
        if (error) reject(error);
        else resolve(came);
      };
      this.#socket.write(bytes);
    });
  }

  end(): void {
    this.#done = () => {};
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    let at = 0;
    while (this.#unread.length - at >= 5) {
      const end = at + 1 + this.#unread.readUInt32BE(at + 1);
      if (end > this.#unread.length) break;
      const type = String.fromCharCode(this.#unread[at] ?? 0);
      this.#came.push({ type, body: this.#unread.subarray(at + 5, end) });
      at = end;
      if (type === 'Z' && --this.#wanted === 0) this.#done();
    }
    this.#unread = this.#unread.subarray(at);
  }
}
