/** The answers to expanded statements, turned back into those to the client's own. */
import type { FollowedRows } from '../../render/guard/left-statements.js';
import { shapeOf, type Treatment } from '../../rewrite/statement/treatment.js';
import { NO_DATA, PARSE_COMPLETE } from '../../wire/backend.js';
import { whole } from '../../wire/frontend.js';
import { Backend } from '../../wire/types.js';
import type { ReplyHandler, Verdict } from '../server/outstanding-replies.js';
import { GuardedAnswers } from './guarded-answers.js';
import { type ErrorTranslation, translateError } from './server-errors.js';
import { description, followedIn, type Progress, resultOf } from './statement-results.js';

/** How the answers to a rewritten text are translated, and what else they bring about. */
export interface Translation extends ErrorTranslation {
  /** Is called when the text is sent to be executed. @returns what has to be called when that is answered, or skipped */
  readonly executing: () => () => void;
  /** Is called when a statement has been executed: the names that it has prepared or dropped change then. Offset as in ErrorTranslation. */
  readonly completed: (treatment: Treatment, offset?: number) => void;
}

/**
 * Answers to a simple query of one or more statements.
 * @param skipped is called where the server skips the query
 */
export function queryReplies(translation: Translation, skipped?: () => void): ReplyHandler {
  let at = 0;
  let isAnswered = false;
  let progress: Progress = { rows: 0 };
  /** The client's CommandComplete, while a statement that undoes the proxy's settings is still to end. */
  let held: Verdict = 'swallow';
  /** The answers to a guarded statement while its follow-ups are executed, and the rows that these have changed. */
  let guarded = new GuardedAnswers();
  let followed: FollowedRows[] = [];
  const answered = translation.executing();
  return {
    skipped() {
      skipped?.();
      answered();
    },
    // A function that is called for a lock is called again by the statement after it, and then the client gets its notice. A notice
    // before the first answer may be about the whole string.
    notice() {
      const kind = translation.rewrite.treatments[at]?.kind;
      return isAnswered && (kind === 'lock' || kind === 'swallow') ? 'swallow' : 'forward';
    },
    receive(message) {
      isAnswered = true;
      const treatment = translation.rewrite.treatments[at];
      if (message.type === Backend.ReadyForQuery) {
        answered();
        return 'forward';
      }
      if (message.type === Backend.ErrorResponse) return translateError(message, treatment, translation);
      const next = translation.rewrite.treatments[at + 1];
      const result = resultOf(message, treatment, progress, translation.encoding);
      if (treatment?.kind === 'followUp') followed.push(...followedIn(message, treatment.counts));
      const verdict = next?.kind === 'followUp' ? guarded.hold(result, message) : result;
      if (message.type !== Backend.CommandComplete) return verdict;
      if (treatment) {
        translation.completed(treatment, translation.offset);
        // A statement that has follow-ups is told with the last of them.
        if (next?.kind !== 'followUp') tellExecuted(treatment, progress, translation, followed);
      }
      at++;
      progress = { rows: 0 };
      if (treatment?.kind === 'followUp' && next?.kind !== 'followUp') {
        const answers = guarded.end();
        guarded = new GuardedAnswers();
        followed = [];
        return answers;
      }
      if (treatment?.kind !== 'cleanUp') held = verdict;
      if (translation.rewrite.treatments[at]?.kind !== 'cleanUp') return held;
      if (held === 'forward') held = whole(message);
      return 'swallow';
    },
  };
}

/**
 * Answers to Execute of an expanded statement.
 * @param isContinued the portal was executed before, and gives more of its rows: the first Execute has done all that the statement does
 * (pquery.c, PORTAL_ONE_MOD_WITH), and was told to the listeners
 */
export function executeReplies(translation: Translation, isContinued = false): ReplyHandler {
  const progress: Progress = { rows: 0 };
  const treatment = translation.rewrite.treatments[0];
  const answered = translation.executing();
  return {
    skipped: answered,
    receive(message) {
      const { type } = message;
      if (type === Backend.CommandComplete && treatment) translation.completed(treatment, translation.offset);
      if ((type === Backend.CommandComplete || type === Backend.PortalSuspended) && treatment && !isContinued)
        tellExecuted(treatment, progress, translation);
      if (type === Backend.CommandComplete || type === Backend.ErrorResponse) answered();
      if (type === Backend.ErrorResponse) return translateError(message, treatment, translation);
      return resultOf(message, treatment, progress, translation.encoding);
    },
  };
}

function tellExecuted(
  treatment: Treatment,
  { counts }: Progress,
  { tell }: Translation,
  followed: readonly FollowedRows[] = [],
): void {
  tell({ kind: 'executed', treatment, at: performance.now(), counts, followed });
}

/**
 * Answers to Parse, Bind and Describe of an expanded statement.
 * @param undo takes back what the session has noted of the message, where the server refuses or skips it
 */
export function descriptionReplies(translation: Translation, undo?: () => void): ReplyHandler {
  const treatment = translation.rewrite.treatments[0];
  const shape = shapeOf(treatment);
  return {
    receive(message) {
      if (message.type === Backend.ErrorResponse) {
        undo?.();
        return translateError(message, treatment, translation);
      }
      return shape && message.type === Backend.RowDescription
        ? description(message, shape, NO_DATA)
        : 'forward';
    },
    ...(undo ? { skipped: undo } : {}),
  };
}

/** Answers to a Describe that is sent in the place of a Parse. */
export function unsentParseReplies(translation: Translation): ReplyHandler {
  const treatment = translation.rewrite.treatments[0];
  return {
    receive(message) {
      switch (message.type) {
        case Backend.ErrorResponse:
          return translateError(message, treatment, translation);
        case Backend.ParameterDescription:
          return 'swallow';
        default:
          return PARSE_COMPLETE;
      }
    },
  };
}

/** Swallows the answer to a message of the proxy's own. The client gets an error; before that, `failed` is called. */
export function swallowedReplies(
  translation: Translation,
  skipped: () => void,
  failed = skipped,
): ReplyHandler {
  const handler = descriptionReplies(translation, failed);
  return {
    receive: (message) => (message.type === Backend.ErrorResponse ? handler.receive(message) : 'swallow'),
    skipped,
  };
}

/** Forwards the answer. @param undo takes back what the session has noted of the message, where the server refuses or skips it */
export function undoneReplies(undo: () => void): ReplyHandler {
  return {
    receive(message) {
      if (message.type === Backend.ErrorResponse) undo();
      return 'forward';
    },
    skipped: undo,
  };
}
