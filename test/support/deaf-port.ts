/** A port to which connections are never made: the system asks again and again, as where a network swallows what is sent. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** As many as Linux keeps of a listener that accepts none: one more than its backlog. */
const ROOM = 2;

/** Listens in a thread that stands still from then on, so that nobody accepts. */
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: ${ROOM - 1} }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** SYN_SENT in /proc/net/tcp (tcp_states.h). */
const IS_BEING_MADE = '02';

/** On Linux only. */
export interface DeafPort {
  readonly port: number;
  /** How many connections to it are being made. */
  waiting(): number;
  close(): Promise<void>;
}

/** On 127.0.0.1. */
export async function startDeafPort(): Promise<DeafPort> {
  const thread = new Worker(THREAD, { eval: true });
  const [port] = (await once(thread, 'message')) as [number];
  const waiting: Socket[] = [];
  for (let each = 0; each < ROOM; each++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    waiting.push(socket);
  }
  return {
    port,
    waiting: () => beingMadeTo(port),
    async close() {
      for (const socket of waiting) socket.destroy();
      await thread.terminate();
    },
  };
}

function beingMadeTo(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1);
  return lines.filter((line) => {
    const [, , to, state] = line.trim().split(/ +/);
    return to?.endsWith(remote) && state === IS_BEING_MADE;
  }).length;
}
