/** A relay that can fail: between a client and the proxy, or between the proxy and its server. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Direction, Fault, Step, Transform } from './faults.js';

/** What became of the faults that a connection was to have. */
export interface Armed {
  /** Whether one of them has come to pass. */
  readonly hasFired: () => boolean;
  /** Fulfilled when one of them comes to pass. */
  readonly fired: Promise<void>;
}

/** A fault, and whom to tell that it has come to pass. */
interface Arming {
  readonly fault: Fault;
  readonly tell: () => void;
}

export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pipes = new Set<Pipe>();
  #next: readonly Arming[] = [];

  private constructor(targetPort: number) {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const server = connect({ host: '127.0.0.1', port: targetPort, noDelay: true, allowHalfOpen: true });
      const armed = this.#next;
      this.#next = [];
      for (const socket of [client, server]) this.#keep(socket);
      this.#pipe(client, server, 'toServer', armed);
      this.#pipe(server, client, 'toClient', armed);
    });
  }

  static async start(targetPort: number): Promise<Relay> {
    const relay = new Relay(targetPort);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The next connection has these faults, one a direction. */
  arm(...faults: readonly Fault[]): Armed {
    let hasFired = false;
    let tell = () => {};
    const fired = new Promise<void>((resolve) => {
      tell = () => {
        hasFired = true;
        resolve();
      };
    });
    this.#next = faults.map((fault) => ({ fault, tell }));
    return { hasFired: () => hasFired, fired };
  }

  /** No connection is to have the faults that none has had yet, and what is stalled ends where nobody is at its other end. */
  disarm(): void {
    this.#next = [];
    for (const pipe of this.#pipes) pipe.endStall();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
  }

  #pipe(from: Socket, to: Socket, direction: Direction, armed: readonly Arming[]): void {
    const meant = armed.find(({ fault }) => fault.direction === direction);
    const pipe = new Pipe(from, to, direction, meant?.fault.begin(meant.tell) ?? ((bytes) => [bytes]));
    this.#pipes.add(pipe);
    to.on('close', () => this.#pipes.delete(pipe));
    from.on('data', (chunk: Buffer) => pipe.take(chunk));
    from.on('end', () => pipe.end());
    // Who is gone altogether takes the other side along, when that has got what was said before.
    from.on('close', () => pipe.close());
  }
}

/** One direction of a connection: its steps, one after the other. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #transform: Transform;
  readonly #direction: Direction;
  #done: Promise<void> = Promise.resolve();
  #isStalled = false;
  #endsStall = false;

  constructor(from: Socket, to: Socket, direction: Direction, transform: Transform) {
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#transform = transform;
  }

  take(chunk: Buffer): void {
    this.#from.pause();
    this.#then(async () => {
      for (const step of this.#transform(chunk)) await this.#execute(step);
      this.#from.resume();
    });
  }

  /** Of a stalled direction not even its end gets through, as long as it is stalled. */
  end(): void {
    this.#then(async () => {
      if (!this.#isStalled) this.#to.end();
      else if (this.#endsStall) this.#to.destroy();
    });
  }

  /** As a server finds out at last (tcp_keepalives) that there is nobody any more. */
  endStall(): void {
    this.#endsStall = true;
    if (this.#from.readableEnded) this.end();
  }

  close(): void {
    this.#then(async () => {
      // Of a server that is gone the proxy hears nothing, either; but the server finds out by itself when nobody is there.
      if (this.#isStalled && this.#direction === 'toClient') return;
      if (this.#to.writableLength > 0) await Promise.race([once(this.#to, 'drain'), once(this.#to, 'close')]);
      this.#to.destroySoon();
    });
  }

  #then(work: () => Promise<void>): void {
    // A socket that broke meanwhile ends its own pipe: `close` follows.
    this.#done = this.#done.then(work).catch(() => void this.#to.destroy());
  }

  async #execute(step: Step): Promise<void> {
    if (this.#isStalled || this.#to.destroyed) return;
    if (step instanceof Uint8Array) return this.#write(step);
    switch (step.kind) {
      case 'hold':
        await step.until();
        return;
      case 'garbage':
        return this.#write(step.bytes);
      case 'reset':
        this.#from.resetAndDestroy();
        this.#to.resetAndDestroy();
        return;
      case 'halfClose':
        this.#to.end();
        this.#isStalled = true;
        return;
      case 'stall':
        this.#isStalled = true;
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length > 0 && this.#to.writable)
      await new Promise<void>((resolve) => this.#to.write(bytes, () => resolve()));
  }
}
