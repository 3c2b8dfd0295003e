/** What is known of the names of prepared statements while the messages that change them are unanswered. */
import { expect, test } from 'vitest';
import { UnansweredNames } from '../../src/session/client/unanswered-names.js';
import { OutstandingReplies, type ReplyHandler } from '../../src/session/server/outstanding-replies.js';
import { Backend } from '../../src/wire/types.js';

const FORWARD: ReplyHandler = { receive: () => 'forward' };

function start() {
  const replies = new OutstandingReplies();
  const names = new UnansweredNames(replies);
  const answer = (type: number) => {
    const buffer = Buffer.from([type, 0, 0, 0, 4]);
    return replies.receive({ type, buffer, start: 0, end: buffer.length, last: true });
  };
  const sync = () => {
    names.endUnit();
    replies.expect('Sync');
  };
  return { replies, names, answer, sync };
}

test('a name is certain in the unit of work that gives it: if its Parse fails, what uses it there is skipped', () => {
  const { names } = start();
  names.expect('Parse', FORWARD);
  expect(names.areKnown).toBe(true);
});

test('after the Sync a name is certain when the Parse is answered, whether or not it has failed', () => {
  for (const end of [Backend.ParseComplete, Backend.ErrorResponse]) {
    const { names, answer, sync } = start();
    names.expect('Parse', FORWARD);
    sync();
    expect(names.areKnown).toBe(false);
    answer(end);
    expect(names.areKnown).toBe(true);
  }
});

test('a query that drops the unnamed statement is answered by its ReadyForQuery', () => {
  const { names, answer } = start();
  names.expect('Query', FORWARD);
  names.endUnit();
  answer(Backend.CommandComplete);
  expect(names.areKnown).toBe(false);
  answer(Backend.ReadyForQuery);
  expect(names.areKnown).toBe(true);
});

test('who waits is told when the last of an earlier unit is answered, and not before', async () => {
  const { names, answer, sync } = start();
  names.expect('Parse', FORWARD);
  names.expect('Parse', FORWARD);
  sync();
  let told = false;
  const waiting = names.answered().then(() => {
    told = true;
  });
  answer(Backend.ParseComplete);
  await Promise.resolve();
  expect(told).toBe(false);
  answer(Backend.ParseComplete);
  await waiting;
  expect(told).toBe(true);
});

test('what the server skips after an error is answered with it, and its handler is told', () => {
  const { names, answer, sync } = start();
  let skipped = 0;
  names.expect('Parse', FORWARD);
  names.expect('Parse', { ...FORWARD, skipped: () => skipped++ });
  sync();
  answer(Backend.ErrorResponse);
  expect([names.areKnown, skipped]).toEqual([true, 1]);
});

test('the session ends: nobody waits any longer', async () => {
  const { names, replies, sync } = start();
  names.expect('Parse', FORWARD);
  sync();
  const waiting = names.answered();
  replies.end();
  await waiting;
  expect(names.areKnown).toBe(true);
});
