/** What is taken of a client's bytes before its login is over: the answers that the server has asked for, and nothing else. */
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ClientAnswers } from '../../src/auth/client-answers.js';
import { ClientMessages } from '../../src/session/client/client-messages.js';
import { Output } from '../../src/session/server/output.js';
import { message, query, sync } from '../support/frontend-messages.js';

const LIMIT = 0x3fffffff;

/** Messages of a client, of which its session takes those that the login has left, and what they send to the server by themselves. */
function start() {
  const stream = new PassThrough();
  const output = new Output(stream);
  const answers = new ClientAnswers(output, LIMIT);
  let session: ClientMessages | undefined;
  const messages = {
    push: (bytes: Buffer) => answers.push(bytes),
    asked: () => answers.asked(),
    loggedIn: () => {
      session = new ClientMessages(output, LIMIT, () => {});
      session.push(answers.unread);
    },
    get isHeld() {
      return session === undefined && answers.isHeld;
    },
    get isOver() {
      return answers.isOver;
    },
  };
  /** The types of what can be taken. */
  const taken = () => {
    let types = '';
    const from = session ?? answers;
    for (let it = from.next(); it; it = from.next()) types += String.fromCharCode(it.type);
    output.flush();
    return types;
  };
  return { messages, taken, sent: () => String(stream.read() ?? '') };
}

const password = message('p', Buffer.from('secret\0'));

describe('before the login is over', () => {
  test('nothing is taken that the server has not asked for', () => {
    const { messages, taken } = start();
    messages.push(Buffer.concat([password, query('SELECT 1'), sync]));
    expect([taken(), messages.isHeld]).toEqual(['', true]);
    messages.asked();
    expect(taken()).toBe('p');
    messages.loggedIn();
    expect([taken(), messages.isHeld]).toEqual(['QS', false]);
  });

  test('each question of the server is answered by one message', () => {
    const { messages, taken } = start();
    messages.push(Buffer.concat([password, password, query('SELECT 1')]));
    messages.asked();
    expect(taken()).toBe('p');
    messages.asked();
    expect(taken()).toBe('p');
    messages.loggedIn();
    expect(taken()).toBe('Q');
  });

  test('a password is given in pieces, and its end is the end of the answer', () => {
    const { messages, taken } = start();
    messages.asked();
    messages.push(password.subarray(0, 7));
    expect(taken()).toBe('p');
    messages.push(Buffer.concat([password.subarray(7), sync]));
    expect(taken()).toBe('p');
    expect(messages.isHeld).toBe(true);
  });

  test('what is no answer goes to the server as it came, and is the last', () => {
    const { messages, taken, sent } = start();
    messages.asked();
    messages.push(Buffer.from('Q'));
    expect([taken(), sent(), messages.isOver]).toEqual(['', 'Q', true]);
  });
});
