/** Looks at a client's text as the server is going to read it. */
import { isAscii } from 'node:buffer';
import { withoutHalves } from '../../sql/encoding/character-lengths.js';
import { type Look, lookAt } from '../../sql/lexer/look.js';
import { UNKNOWN } from '../../sql/lexer/text-settings.js';
import type { ServerState } from '../server/server-state.js';
import type { ReportedSettings } from './reported-settings.js';

/**
 * @param text without what terminates it
 * @param settings whether the server has reported how it reads it
 */
export function lookAsReported(text: Buffer, state: ServerState, settings: ReportedSettings): Look {
  if (!settings.areCurrent) return lookAt(text, UNKNOWN);
  const { encoding, textSettings } = state;
  const masked = textSettings.hasHalves && !isAscii(text) ? withoutHalves(text, encoding) : undefined;
  if (masked === undefined) return lookAt(text, textSettings);
  return { ...lookAt(masked, { ...textSettings, hasHalves: false }), text };
}
