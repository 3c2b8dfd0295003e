/** The portals of a session that the proxy has a hand in: what they were bound to, and how. */
import type { Answers } from '../plan/render.js';
import { whole, withResultFormats } from '../wire/frontend.js';
import type { Message } from '../wire/reader.js';
import { isGuarded, isSuspecting, planOf } from './attempt.js';
import type { Prepared } from './prepared.js';

/** A portal, and what it takes to bind it again. */
export interface BoundPortal extends Prepared {
  readonly statement: string;
  /** The client's message; undefined where it is not worth keeping. */
  readonly bind: Buffer | undefined;
  readonly executed: boolean;
}

/** A longer Bind is not kept: its statement is executed once. */
const LONGEST_BIND = 1024 * 1024;

export function isShort(bind: Message): boolean {
  return bind.end - bind.start <= LONGEST_BIND;
}

/** A copy of the message by which it was bound, where its execution may have to be repeated. */
export function bindOf(message: Message, prepared: Prepared): Buffer | undefined {
  const plan = prepared.rewrite && planOf(prepared.rewrite.parts);
  const repeats = plan && (isGuarded(plan) || isSuspecting(prepared.rewrite?.parts ?? []));
  return repeats && isShort(message) ? whole(message) : undefined;
}

/** The message with result formats for the columns that are sent. */
export function withFormats(bind: Message, answers: Answers): Buffer {
  return withResultFormats(bind, (formats) => formatsFor(answers, formats));
}

/** The formats of all columns that are sent: the proxy's own, which nobody reads, before the client's. */
function formatsFor(answers: Answers, formats: readonly number[]): readonly number[] {
  switch (answers.kind) {
    case 'as sent':
      return formats;
    case 'count':
      return [];
    case 'rows':
      return formats.length < 2 ? formats : [...Array<number>(answers.hidden).fill(0), ...formats];
  }
}
