/** A connection to a server as `pg` wants it: a stream that is there before it is connected. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type PeerCertificate, TLSSocket } from 'node:tls';
import { type ServerAddress, startOn } from './server-socket.js';

export class LateSocket extends Duplex {
  readonly #address: ServerAddress;
  readonly #unwanted = new AbortController();
  #socket: Socket | undefined;

  constructor(address: ServerAddress) {
    super({ emitClose: false });
    this.#address = address;
  }

  /** Emits `connect`, for the startup packet: what that is decides how the connection is made. */
  connect(): void {
    process.nextTick(() => this.emit('connect'));
  }

  /** `startOn` has set it. */
  setNoDelay(): this {
    return this;
  }

  /** For channel binding. Undefined on a connection in clear. */
  getPeerCertificate(): PeerCertificate | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate() : undefined;
  }

  override _read(): void {
    this.#socket?.resume();
  }

  /** The first is the startup packet. */
  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    if (this.#socket) this.#socket.write(chunk, done);
    else
      startOn(this.#address, chunk, this.#unwanted.signal).then((socket) => {
        this.#connected(socket);
        done();
      }, done);
  }

  override _final(done: () => void): void {
    if (this.#socket) this.#socket.end(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#unwanted.abort();
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
  }
}
