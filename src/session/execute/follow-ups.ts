/**
 * The follow-ups of a guarded statement: statements of the proxy's own that look at what it has done and carry out ON UPDATE. They are
 * executed in the pipeline of its Execute, directly after it; the client sees one statement.
 */
import type { FollowedRows, FollowUp } from '../../render/guard/left-statements.js';
import type { GuardTreatment } from '../../rewrite/statement/treatment.js';
import { write } from '../../wire/frontend.js';
import { Backend } from '../../wire/types.js';
import { GuardedAnswers } from '../answers/guarded-answers.js';
import { sealed, sentText } from '../answers/markers.js';
import type { News } from '../answers/news.js';
import { executeReplies, type Translation } from '../answers/results.js';
import { translateError } from '../answers/server-errors.js';
import { followedIn } from '../answers/statement-results.js';
import type { Output } from '../server/output.js';
import type { OutstandingReplies, ReplyHandler } from '../server/outstanding-replies.js';
import { executionOf, SCRATCH } from '../server/own-statements.js';

/** @returns the guarded statement of a text; undefined where it is another one, or has no follow-ups */
export function guardedWithFollowUps({ rewrite }: Pick<Translation, 'rewrite'>): GuardTreatment | undefined {
  const [guarded] = rewrite.treatments;
  return guarded?.kind === 'guarded' && guarded.followUps.length > 0 ? guarded : undefined;
}

/**
 * Sends the follow-ups, after the Execute of the statement was written, and expects the answers to all of them.
 * @param answers holds those to the statement, until the follow-ups have found nothing wrong
 */
export function sendFollowUps(
  guarded: GuardTreatment,
  translation: Translation,
  { server, replies }: { readonly server: Output; readonly replies: OutstandingReplies },
  answers = new GuardedAnswers(),
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
  const ofFollowUps = sealed({ ...translation.rewrite, sql: '', copied: [], changed: true });
  const unmarked = { ...guarded, marker: undefined };
  const followed: FollowedRows[] = [];
  const handlerOf = (counts: FollowUp['counts']): ReplyHandler => ({
    receive: (message) => {
      const failed = { kind: 'followUp', guarded: unmarked, counts } as const;
      if (message.type === Backend.ErrorResponse)
        return translateError(message, failed, { ...translation, rewrite: ofFollowUps });
      followed.push(...followedIn(message, counts));
      return 'swallow';
    },
  });
  for (const { sql, counts } of guarded.followUps) {
    const { messages, answered } = executionOf([sentText({ ...ofFollowUps, sql })]);
    // Its last message closes the statement: one Close, at the end, does that for all of them.
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
