/**
 * Sessions that the tests of a file have one after the other. To begin a session costs the server more than most tests ask of
 * it: a process with empty caches, which it fills for the catalog's questions.
 */
import { afterAll, onTestFinished } from 'vitest';
import { query } from './frontend-messages.js';
import { type Login, type RawAddress, RawClient, readable } from './raw-client.js';

/** Milliseconds in which a session that is as new answers. Another one is ended: what it may still wait for is unknown. */
const ANSWERED = 2000;

/** What the server says to DISCARD ALL, its settings aside, where nothing was left unread and no transaction is open. */
const DISCARDED = 'C DISCARD ALL,Z I';

export interface KeptSessions {
  /** A session that is as new: it is, or it was given back. Whoever takes it gives it back, or destroys its socket. */
  take(address: RawAddress, login: Login): Promise<RawClient>;
  /**
   * Has the server discard all of the session, and keeps it where that leaves it as new; else its connection is as it was.
   * @returns what the server said, in words, and whether the session is kept
   */
  giveBack(client: RawClient): Promise<{ readonly said: readonly string[]; readonly kept: boolean }>;
}

/** Keeps sessions until the end of this file. Called after what makes the server or the proxy: its hook is the first to run then. */
export function keptSessions(): KeptSessions {
  const kept = new Map<string, RawClient[]>();
  const places = new Map<RawClient, string>();
  afterAll(() => {
    for (const client of [...kept.values()].flat()) client.socket.destroy();
  });
  return {
    async take({ host, port }, login) {
      const place = JSON.stringify([host, port, login]);
      const client = kept.get(place)?.pop() ?? (await RawClient.loginKept({ host, port }, login));
      places.set(client, place);
      return client;
    },
    async giveBack(client) {
      const place = places.get(client);
      const said = readable(await client.ask(query('DISCARD ALL')));
      const asNew = said.filter((each) => !each.startsWith('S ')).join() === DISCARDED;
      if (asNew && place !== undefined) kept.set(place, [...(kept.get(place) ?? []), client]);
      return { said, kept: asNew && place !== undefined };
    },
  };
}

/**
 * Keeps sessions for the tests of this file, as `keptSessions`.
 * @returns what gives a test a session that is as new: which it is, or it was another test's that passed, left nothing unread
 *   and was outside of a transaction, and of which the server has discarded all
 */
export function useKeptSessions(): (address: RawAddress, login: Login) => Promise<RawClient> {
  const sessions = keptSessions();
  return async (address, login) => {
    const client = await sessions.take(address, login);
    onTestFinished(async ({ task }) => {
      if (task.result?.state !== 'pass' || !client.socket.writable) {
        client.socket.destroy();
        return;
      }
      const late = setTimeout(() => client.socket.destroy(), ANSWERED);
      // It may end instead of answering.
      const isKept = await sessions.giveBack(client).then(
        ({ kept }) => kept,
        () => false,
      );
      clearTimeout(late);
      if (!isKept) client.socket.destroy();
    });
    return client;
  };
}
