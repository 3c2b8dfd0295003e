/** A client that may say anything, and takes whatever it is answered, also where that is no protocol. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { terminate } from '../support/frontend-messages.js';
import { type RawMessage, startupPacket } from '../support/raw-client.js';

/** `halfClose`: says that no more comes, and waits for answers. `goodbye`: Terminate before it. */
export type Departure = 'halfClose' | 'goodbye' | 'close' | 'reset';

/** No answer takes so long, on the slowest machine, in milliseconds. */
export const PATIENCE = 30_000;

export class Client {
  readonly messages: RawMessage[] = [];
  /** Fulfilled when nothing more comes. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #isOver = false;
  #changed: () => void = () => {};

  constructor(port: number) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
    this.ended = new Promise((resolve) => {
      const over = () => {
        this.#isOver = true;
        this.#changed();
        resolve();
      };
      socket.on('end', over).on('close', over);
    });
  }

  /** Logs in, and waits for the first ReadyForQuery. @throws where none comes */
  static async login(port: number, database: string): Promise<Client> {
    const client = new Client(port);
    client.send(startupPacket({ database }));
    if (!(await client.until('Z'))) throw new Error(`no login: ${client.said}`);
    return client;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The types of what it was told, in order. */
  get said(): string {
    return this.messages.map(({ type }) => type).join('');
  }

  /** The SQLSTATEs of the errors it was told. */
  get errors(): readonly string[] {
    const errors = this.messages.filter(({ type }) => type === 'E');
    return errors.map(({ body }) => /\0C([0-9A-Z]{5})/.exec(body.toString('latin1'))?.[1] ?? 'none');
  }

  /** The tags of the commands that were completed. */
  get tags(): readonly string[] {
    const complete = this.messages.filter(({ type }) => type === 'C');
    return complete.map(({ body }) => body.toString('latin1').replace('\0', ''));
  }

  send(...bytes: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  /**
   * Waits for so many messages of this type in all.
   * @returns whether they came: else the connection is over
   * @throws where neither comes to pass
   */
  async until(type: string, count = 1): Promise<boolean> {
    const has = () => this.messages.filter((message) => message.type === type).length >= count;
    await this.#untilChanged(() => has() || this.#isOver, `${count} of "${type}"`);
    return has();
  }

  /** Waits for the end. @throws where it does not come */
  async untilOver(): Promise<void> {
    await this.#untilChanged(() => this.#isOver, 'the end');
  }

  /** @returns whether the end comes within so many milliseconds, which are the client's own patience */
  isOverWithin(milliseconds: number): Promise<boolean> {
    return Promise.race([this.ended.then(() => true), pause(milliseconds, false, { ref: false })]);
  }

  leave(how: Departure): void {
    switch (how) {
      case 'goodbye':
        this.#socket.end(terminate);
        return;
      case 'halfClose':
        this.#socket.end();
        return;
      case 'close':
        this.#socket.destroy();
        return;
      case 'reset':
        this.#socket.resetAndDestroy();
    }
  }

  /** A cascade in batches may take long, and says with each of them that it goes on: patience begins anew with what comes. */
  async #untilChanged(is: () => boolean, what: string): Promise<void> {
    while (!is()) {
      let late: NodeJS.Timeout | undefined;
      const comes = await new Promise<boolean>((resolve) => {
        this.#changed = () => resolve(true);
        late = setTimeout(resolve, PATIENCE, false);
      });
      clearTimeout(late);
      if (!comes) throw new Error(`the client waits for ${what} and has got "${this.said}"`);
    }
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 5) {
      const end = 1 + Math.max(this.#unread.readUInt32BE(1), 4);
      if (end > this.#unread.length) break;
      const type = String.fromCharCode(this.#unread[0] ?? 0);
      this.messages.push({ type, body: this.#unread.subarray(5, end) });
      this.#unread = this.#unread.subarray(end);
    }
    this.#changed();
  }
}
