/** Looks at a client's text as the server is going to read it. */
import { isAscii } from 'node:buffer';
import { type Look, lookAt } from '../sql/gate.js';
import { withoutHalves } from './character-lengths.js';
import type { SessionCircumstances } from './circumstances.js';
import type { Answer, Injection, Manner } from './injection.js';
import type { ExpectedReplies } from './replies.js';
import type { ServerState } from './server-state.js';
import { UNKNOWN } from './text-settings.js';

interface Session {
  /** False where nobody takes notice of what is set. */
  readonly active?: boolean;
  readonly circumstances: Pick<SessionCircumstances, 'touched'>;
  readonly replies: Pick<ExpectedReplies, 'settled'>;
  readonly state: ServerState;
}

/** @param text without what terminates it */
export function look(text: Buffer, session: Session): Look {
  if (!isReported(session)) return lookAt(text, UNKNOWN);
  const { encoding, textSettings } = session.state;
  const masked = textSettings.hasHalves && !isAscii(text) ? withoutHalves(text, encoding) : undefined;
  if (masked === undefined) return lookAt(text, textSettings);
  return { ...lookAt(masked, { ...textSettings, hasHalves: false }), text };
}

/** What standard_conforming_strings is, `on` or `off`, when a text is read that is sent now. */
export async function conformingStrings(
  manner: Manner,
  session: Session & { readonly injection: Injection },
): Promise<Answer> {
  if (!isReported(session)) return session.injection.ask(STRINGS, manner);
  return { kind: 'value', value: session.state.textSettings.strings };
}

const STRINGS = `SELECT pg_catalog.current_setting('standard_conforming_strings')`;

/** Whether the server has reported how it reads what is sent now: what it has not answered yet may have changed that. */
function isReported({ active = true, circumstances, replies }: Session): boolean {
  return replies.settled || (active && !circumstances.touched);
}
