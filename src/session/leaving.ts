/** How connections end: an upstream connection on which the server is still at work has to be told to stop. */

import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often the server is asked to stop, and how long it may take each time, in milliseconds. */
const MOST_CANCELS = 5;
const PATIENCE = 1000;
/** A server that closes the connection within this time needs no cancel request; in milliseconds. */
const AT_ONCE = 50;
/** How long the last unit of work of a client that is gone may still take to be decided and sent, in milliseconds. */
export const LAST_UNIT = 1000;

/**
 * Ends the connection to a server that is at work, and has it stop its work. By itself the server would notice the end of the
 * connection only after its statement, which may wait for a lock of another session for ever. Each cancel request stops one
 * statement: those of a pipeline are stopped one after the other. The connection stays open until then, so that the server
 * gives its key to no other session, which the requests would hit.
 * @param server what it still sends is read and thrown away by the caller
 * @param cancel sends a cancel request; fulfilled when the server has acted on it
 */
export async function leaveAtWork(server: Duplex, cancel: () => Promise<void>): Promise<void> {
  const closed = closedOf(server);
  const closes = (within: number) => Promise.race([closed, sleep(within, undefined, { ref: false })]);
  server.end();
  server.resume();
  await closes(AT_ONCE);
  for (let left = MOST_CANCELS; left > 0 && !server.closed; left--) {
    await Promise.race([closed, cancel()]);
    await closes(PATIENCE);
  }
  server.destroy();
}

/** Fulfilled when a stream is closed: at once where it is already. */
export function closedOf(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
}

/** Fulfilled when both streams are closed. Each stream has one listener for that: more would take memory of every session. */
export function bothClosed(one: Duplex, other: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const closed = () => {
      if (one.closed && other.closed) resolve();
    };
    one.on('close', closed);
    other.on('close', closed);
    closed();
  });
}
