/** A server that takes connections now: of several, another one is tried where one does not. */
import type { Socket } from 'node:net';
import { firstAnswer, refusalOf } from './first-answer.js';
import { NextHost } from './hosts.js';
import { abortable, type ServerAddress, startOn } from './server-socket.js';

/** SQLSTATE cannot_connect_now: it starts, shuts down, or is a standby that takes no queries. */
const CANNOT_CONNECT_NOW = '57P03';

/**
 * As `startOn`, with the server's first answer still to be read.
 * @throws NextHost where that says that the server takes no connections now
 */
export async function startOnReady(
  address: ServerAddress,
  startup: Buffer,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await startOn(address, startup, signal);
  const answer = await abortable(socket, signal, () => firstAnswer(socket));
  const refusal = refusalOf(answer);
  if (answer.length > 0 && refusal?.code !== CANNOT_CONNECT_NOW) {
    socket.unshift(answer);
    return socket;
  }
  socket.destroy();
  throw refusal ? new NextHost(refusal.message) : new Error('the server closed the connection unexpectedly');
}
