/** A connection to a server as `pg` wants it: a stream that is there before it is connected. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connectTo, type ServerAddress } from './server-socket.js';

export class LateSocket extends Duplex {
  readonly #address: ServerAddress;
  #socket: Socket | undefined;

  constructor(address: ServerAddress) {
    super({ emitClose: false });
    this.#address = address;
  }

  /** Emits `connect`, or is destroyed with the error of `connectTo`. */
  connect(): void {
    connectTo(this.#address).then(
      (socket) => this.#connected(socket),
      (error) => this.destroy(error),
    );
  }

  /** `connectTo` has set it. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(enable: boolean, initialDelay: number): this {
    this.#socket?.setKeepAlive(enable, initialDelay);
    return this;
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#socket?.write(chunk, done);
  }

  override _final(done: () => void): void {
    if (this.#socket) this.#socket.end(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.destroy();
    done(error);
    // As of a Socket: who waits for the connection hears of the error before.
    setImmediate(() => this.emit('close'));
  }

  #connected(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.destroy(error));
    if (this.destroyed) {
      socket.destroy();
      return;
    }
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
    this.emit('connect');
  }
}
