/** Looks after a server whose client says no more: the connection has to end some time, also where the server says nothing. */
import type { Duplex } from 'node:stream';

/** Between two looks, in milliseconds. */
const LOOK = 1000;
/** A server that owes nothing closes the connection at once, unless the network is silent. */
const MOST_IDLE_LOOKS = 2;
/** An hour: so long may what stands before a goodbye take, or a server say nothing (docs/decisions.md, 74). */
const MOST_LOOKS = 3600;

/**
 * The client says no more: what it hears from now on is the last. It is called once.
 * @param owes whether the server has something to answer, or to be told, yet
 * @param isLeft whether nobody waits for the answer
 * @param end what ends the session, if it has not ended
 */
export function awaitLastAnswers(
  server: Duplex,
  owes: () => boolean,
  isLeft: () => boolean,
  end: () => void,
): void {
  let [idle, looks] = [0, 0];
  const timer = setInterval(() => {
    looks++;
    idle = owes() ? 0 : idle + 1;
    if (idle < MOST_IDLE_LOOKS && !(looks >= MOST_LOOKS && isLeft())) return;
    clearInterval(timer);
    end();
  }, LOOK).unref();
  server.once('close', () => clearInterval(timer));
}
