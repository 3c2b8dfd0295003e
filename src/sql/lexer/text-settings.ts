/** How the server reads a text, by what it has reported. */
import type { TextSettings } from './look.js';

/** In these a byte below 128 can be half of a character. */
const TWO_BYTE_ENCODINGS = /^(?:SJIS|SHIFT_JIS_2004|BIG5|GBK|GB18030|UHC|JOHAB)$/;

/** Before it has reported anything, or where what it has not answered yet may have changed it. */
export const UNKNOWN: TextSettings = { strings: 'unknown', hasHalves: true };

/**
 * @param encoding of what goes over the wire, in capitals; `unknown` where it is not known
 * @param strings standard_conforming_strings
 */
export function textSettings(encoding: string, strings: string | undefined): TextSettings {
  return {
    strings: strings === 'off' ? 'off' : 'on',
    hasHalves: encoding === 'unknown' || TWO_BYTE_ENCODINGS.test(encoding),
  };
}
