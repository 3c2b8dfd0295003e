/**
 * The Execute of a statement, and behind it the execution of another one that looks at what it has done, in the same
 * pipeline: for the client they are one.
 */
import type { Behind, FollowedRows } from '../../render/guard/left-statements.js';
import type { GuardTreatment } from '../../rewrite/statement/treatment.js';
import { write } from '../../wire/frontend.js';
import { Backend } from '../../wire/types.js';
import { LookedAtAnswers } from '../answers/looked-at-answers.js';
import { sealed, sentText } from '../answers/markers.js';
import type { News } from '../answers/news.js';
import { executeReplies, type Translation } from '../answers/results.js';
import { translateError } from '../answers/server-errors.js';
import { followedIn } from '../answers/statement-results.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies, ReplyHandler } from '../server/outstanding-replies.js';
import { executionOf, SCRATCH } from '../server/own-statements.js';

/** What is looked at, and by what. */
export interface LookedAt {
  readonly guarded: GuardTreatment;
}

/** @returns undefined where nothing has to be executed behind the statement */
export function lookedAt({ rewrite }: Pick<Translation, 'rewrite'>): LookedAt | undefined {
  const [guarded] = rewrite.treatments;
  if (guarded?.kind !== 'guarded' || guarded.behind.length === 0) return undefined;
  return { guarded };
}

/**
 * Sends the statement behind, when the Execute is written, and expects the answers to both.
 * @param answers what the client does not get before the look
 */
export function lookBehind(
  { guarded }: LookedAt,
  translation: Translation,
  { server, replies }: { readonly server: Output; readonly replies: OutstandingReplies },
  answers = new LookedAtAnswers(),
): void {
  const news: News[] = [];
  const executed = executeReplies({
    ...translation,
    tell: (each) => (each.kind === 'failed' ? translation.tell(each) : news.push(each)),
  });
  replies.expect('Execute', {
    ...executed,
    receive: (message) => {
      const verdict = executed.receive(message);
      return message.type === Backend.ErrorResponse ? verdict : answers.hold(verdict, message);
    },
  });
  const looking = sealed({ ...translation.rewrite, sql: '', copied: [], changed: true });
  const unmarked = { ...guarded, marker: undefined };
  const followed: FollowedRows[] = [];
  const handlerOf = (counts: Behind['counts']): ReplyHandler => ({
    receive: (message) => {
      const failed = { kind: 'behind', guarded: unmarked, counts } as const;
      if (message.type === Backend.ErrorResponse)
        return translateError(message, failed, { ...translation, rewrite: looking });
      followed.push(...followedIn(message, counts));
      return 'swallow';
    },
  });
  for (const { sql, counts } of guarded.behind) {
    const { messages, answered } = executionOf([sentText({ ...looking, sql })]);
    // The statement is closed when the last one has been executed.
    server.write(Buffer.concat(messages.slice(0, -1)));
    for (const to of answered.slice(0, -1)) replies.expect(to, handlerOf(counts));
  }
  server.write(write.close('S', SCRATCH));
  const last = handlerOf([]);
  replies.expect('Close', {
    receive: (message) => {
      if (message.type === Backend.ErrorResponse) return last.receive(message);
      for (const each of news) translation.tell(each.kind === 'executed' ? { ...each, followed } : each);
      return answers.end();
    },
  });
}
