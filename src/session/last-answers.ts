/** Ends a session whose client sends no more: once the server has answered, or after so long that it will not. */
import type { Duplex } from 'node:stream';

/** Between two looks, in milliseconds. */
const LOOK = 1000;
/** A server with nothing left to answer closes the connection at once; if it does not, the network has swallowed its end. */
const MOST_IDLE_LOOKS = 2;
/** An hour: that is how long the last messages before a Terminate may take (docs/decisions.md, 74). */
const MOST_LOOKS = 3600;

/**
 * Is called once, when the client sends no more.
 * @param owes whether the server still has something to answer, or to be sent
 * @param isLeft whether the client has said goodbye, so that it does not wait for answers
 * @param end ends the session, if it has not ended
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
