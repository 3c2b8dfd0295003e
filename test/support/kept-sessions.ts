/**
 * Sessions that the tests of a file have one after the other. To begin a session costs the server more than most tests ask of
 * it: a process with empty caches, which it fills for the catalog's questions.
 */
import { afterAll, onTestFinished } from 'vitest';
import { query } from './frontend-messages.js';
import { type Login, type RawAddress, RawClient, readable } from './raw-client.js';

/** Milliseconds in which a session that is as new answers. Another one is ended: what it may still wait for is unknown. */
const ANSWERED = 2000;

/**
 * Keeps sessions for the tests of this file, until its end. Called behind what makes the server or the proxy: its hooks are the
 * first to run then.
 * @returns what gives a test a session that is as new: which it is, or it was another test's that passed, left nothing unread
 *   and was outside of a transaction, and of which the server has discarded all
 */
export function useKeptSessions(): (address: RawAddress, login: Login) => Promise<RawClient> {
  const kept = new Map<string, RawClient[]>();
  afterAll(() => {
    for (const client of [...kept.values()].flat()) client.socket.destroy();
  });
  return async ({ host, port }, login) => {
    const place = JSON.stringify([host, port, login]);
    const sessions = kept.get(place) ?? [];
    kept.set(place, sessions);
    const client = sessions.pop() ?? (await RawClient.loginKept({ host, port }, login));
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'pass' && (await isAsNew(client))) sessions.push(client);
      else client.socket.destroy();
    });
    return client;
  };
}

async function isAsNew(client: RawClient): Promise<boolean> {
  if (!client.socket.writable) return false;
  const late = setTimeout(() => client.socket.destroy(), ANSWERED);
  try {
    const answer = readable(await client.ask(query('DISCARD ALL')));
    return answer.filter((each) => !each.startsWith('S ')).join() === 'C DISCARD ALL,Z I';
  } catch {
    // The connection has ended.
    return false;
  } finally {
    clearTimeout(late);
  }
}
