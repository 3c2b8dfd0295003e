/** Sends a message of the client's to the server as it is. */
import type { Message } from '../../wire/reader.js';
import type { Output } from '../server/output.js';
import type { AnsweredMessage, OutstandingReplies, ReplyHandler } from '../server/outstanding-replies.js';

/** Where the client's messages go, and where their answers are expected. */
export interface ServerSide {
  readonly server: Output;
  readonly replies: OutstandingReplies;
}

/** @param handler decides what becomes of the answer; without one it goes to the client as it is */
export function forward(
  message: Message,
  type: AnsweredMessage,
  { server, replies }: ServerSide,
  handler?: ReplyHandler,
): undefined {
  server.forward(message);
  replies.expect(type, handler);
}
