/** What the client gets of an attempt that may be followed by another one, and when. */
import { expect, test } from 'vitest';
import { postgres } from '../../src/profiles/profile.js';
import { passedOn } from '../../src/rewrite/text.js';
import { queryReplies } from '../../src/session/answers/results.js';
import { Attempt, type Sending } from '../../src/session/execute/attempt.js';
import type { Verdict } from '../../src/session/server/outstanding-replies.js';
import { asRead, list, text, typed, value } from '../wire/bytes.js';

const row = (length: number) => typed('D', list([value(Buffer.alloc(length))]));
const complete = (tag: string) => typed('C', text(tag));
const error = (code: string) => typed('E', text('SERROR'), text(`C${code}`), Buffer.alloc(1));
const notice = typed('N', text('SNOTICE'), text('C00000'), Buffer.alloc(1));
const ready = typed('Z', Buffer.from('E'));
const MEBIBYTE = 1024 * 1024;

/** A lock of the proxy's own, and a statement of the client's after it. */
function attempt(given: Partial<Sending> = {}): Attempt {
  const translation = {
    rewrite: { ...passedOn(Buffer.of()), treatments: [{ kind: 'swallow' }, { kind: 'forward' }] as const },
    profile: postgres(180000),
    encoding: () => 'UTF8',
    tell: () => {},
    relationChanged: () => {},
    executing: () => () => {},
    completed: () => {},
  };
  return new Attempt({
    message: 'Query',
    replies: queryReplies,
    translation,
    mayBeRetried: true,
    isSaved: false,
    before: 1,
    isLocking: true,
    ...given,
  });
}

/** What the client gets when each of these messages comes: a character for each byte, or nothing. */
function heard(of: Attempt, ...messages: readonly Buffer[]): string[] {
  const got = (verdict: Verdict, bytes: Buffer) =>
    verdict === 'swallow' ? '' : characters(verdict === 'forward' ? bytes : verdict);
  return messages.map((bytes) => {
    const message = asRead(bytes);
    return got(bytes === notice ? of.notice(message) : of.receive(message), bytes);
  });
}

const characters = (...bytes: readonly Buffer[]) => Buffer.concat(bytes).toString('latin1');

test('the client hears nothing of an attempt that is followed by another', async () => {
  const denied = attempt();
  expect(heard(denied, error('42501'), notice, ready)).toEqual(['', '', '']);
  expect(await denied.outcome).toBe('lockDenied');
});

test('the client gets rows and notices with the end of its statement', async () => {
  const good = attempt();
  const messages = [complete('SELECT 1'), row(1), notice, complete('DELETE 1'), ready];
  const all = characters(row(1), notice, complete('DELETE 1'));
  expect(heard(good, ...messages)).toEqual(['', '', '', all, characters(ready)]);
  expect(await good.outcome).toBe('done');
});

test('an answer of more than a megabyte goes out before its end, and an error after it is the client’s', async () => {
  const long = attempt({ before: 2 });
  const half = row(MEBIBYTE / 2);
  const messages = [complete('SELECT 1'), half, half, row(1), error('42501'), ready];
  const now = [row(1), error('42501'), ready].map((bytes) => characters(bytes));
  expect(heard(long, ...messages)).toEqual(['', '', characters(half, half), ...now]);
  expect(await long.outcome).toBe('done');
});

test('the client gets all of the last attempt as it comes', async () => {
  const last = attempt({ mayBeRetried: false });
  const messages = [row(1), notice, complete('DELETE 1'), ready];
  expect(heard(last, complete('SELECT 1'), ...messages)).toEqual([
    '',
    ...messages.map((bytes) => characters(bytes)),
  ]);
  expect(await last.outcome).toBe('done');
  const denied = attempt({ mayBeRetried: false });
  expect(heard(denied, error('42501'), ready)).toEqual([characters(error('42501')), characters(ready)]);
  expect(await denied.outcome).toBe('done');
});

test('the client gets the ReadyForQuery after an error under the savepoint later', async () => {
  const failed = attempt({ isSaved: true });
  expect(heard(failed, error('22012'), ready)).toEqual([characters(error('22012')), '']);
  expect(await failed.outcome).toBe('failed');
});

test('the end of the connection is the client’s, even after an error that it does not get', async () => {
  const ended = attempt();
  expect(heard(ended, error('42501'), error('57P01'))).toEqual(['', characters(error('57P01'))]);
  ended.skipped();
  expect(await ended.outcome).toBe('done');
});
